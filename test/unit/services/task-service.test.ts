import { describe, expect, test, vi } from 'vitest';
import { simulatedWork } from '../../support/task-side.ts';
import { World } from '../../support/world.ts';

vi.mock('node:fs/promises', () => import('../../support/immediate-disk.ts'));

const anna = { who: 'anna' };

describe('submitting', () => {
  test.each([
    [{ targets: ['n1:'] }, 'target/syntax'],
    [{ targets: ['nowhere'] }, 'target/unknown-node'],
    [{ targets: ['n1::7'] }, 'target/unknown-gpu'],
    [{ gpus: { count: 9 } }, 'task/never-fits'],
    [{ privileged: true }, 'input/invalid'],
  ])('%j is refused with %s and changes nothing', async (more, code) => {
    await using world = await World.begin();
    const { core } = world;
    await expect(core.submit(['seconds=1'], more)).rejects.toMatchObject({ code });
    expect([...core.book.all()]).toEqual([]);
    expect(core.store.tasks.counts()).toEqual({});
  });

  test('for several targets makes one task each, with secrets kept once and nowhere in clear', async () => {
    await using world = await World.begin({
      nodes: [
        { cores: 4, gpus: 0 },
        { cores: 4, gpus: 0 },
      ],
    });
    const { core } = world;
    const { taskIds, batchId } = await core.tasks.submit(
      simulatedWork(['seconds=5'], { targets: ['n1', 'n2'], secretEnv: { TOKEN: 's3cret' } }),
      anna,
    );
    expect(taskIds).toHaveLength(2);
    await world.settle();
    const works = world.nodes.flatMap(({ machine }) => [...machine.works.values()]);
    expect(works.map(({ spec }) => spec.env['TOKEN'])).toEqual(['s3cret', 's3cret']);
    for (const id of taskIds) {
      expect(core.task(id).batchId).toBe(batchId);
      expect(JSON.stringify(core.tasks.get(id))).not.toContain('s3cret');
      expect(core.tasks.get(id).secretEnvNames).toEqual(['TOKEN']);
    }
  });

  test('again takes the secrets over, unless they are given anew', async () => {
    await using world = await World.begin();
    const { core } = world;
    const secretEnv = { TOKEN: 'old', KEY: 'kept' };
    const id = await core.submit(['seconds=1', 'exit=1'], { secretEnv, name: 'first' });
    await world.reaches(id, 'FAILED');
    const changes = { name: 'second', secretEnv: { TOKEN: 'new' } };
    const { taskIds } = await core.tasks.resubmit(id, { ...anna, changes });
    await world.settle();
    const [work] = world.machine().works.values();
    expect(work?.spec).toMatchObject({ name: 'second', env: { TOKEN: 'new', KEY: 'kept' } });
    expect(taskIds).not.toContain(id);
  });

  test.each(['commit', 'write'] as const)(
    'is not answered before it is on disk: when the %s fails, nothing remains',
    async (mode) => {
      await using world = await World.begin();
      const { core } = world;
      await world.settle();
      using disk = world.sabotagedDisk();
      disk.refuse(mode);
      await expect(core.submit(['seconds=1'])).rejects.toMatchObject({ code: 'store/failed' });
      await world.pass(5000);
      expect([...core.book.all()]).toEqual([]);
      expect(core.store.tasks.counts()).toEqual({});
      expect(world.machine().history.size).toBe(0);
      disk.repair();
      const id = await core.submit(['seconds=1']);
      await world.reaches(id, 'COMPLETED');
    },
  );

  test('what was answered survives a power cut in the next moment', async () => {
    await using world = await World.begin();
    const id = await world.core.submit(['seconds=1']);
    world.crash('power-cut');
    await world.restart();
    expect(world.core.task(id).state.status).toBe('PENDING');
  });

  test('many at once are all accepted or none', async () => {
    await using world = await World.begin();
    const { core } = world;
    const good = simulatedWork(['seconds=1']);
    const bad = simulatedWork(['seconds=1'], { targets: ['nowhere'] });
    await expect(core.tasks.submitMany([good, bad], anna)).rejects.toMatchObject({
      code: 'target/unknown-node',
    });
    expect(core.store.tasks.counts()).toEqual({});
    expect(await core.tasks.submitMany([good, good], anna)).toHaveLength(2);
  });
});

describe('orders', () => {
  test('hold, release, priority and kill of what waits', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=5'], { hold: true });
    await world.settle();
    expect(core.tasks.get(id)).toMatchObject({ status: 'PENDING', held: true });
    expect(await core.tasks.setPriority([id], { ...anna, priority: 5 })).toMatchObject([
      { ok: true },
    ]);
    expect(await core.tasks.release([id], anna)).toMatchObject([{ ok: true, status: 'PENDING' }]);
    await world.settle();
    expect(core.tasks.get(id)).toMatchObject({ status: 'RUNNING', priority: 5 });
    expect(await core.tasks.hold([id], anna)).toMatchObject([{ ok: false, status: 'RUNNING' }]);
    const signal = 'SIGTERM';
    await core.tasks.kill([id], { ...anna, signal });
    await world.settle();
    expect(await core.tasks.kill([id], { ...anna, signal })).toMatchObject([
      { ok: false, status: 'KILLED', message: 'The task has already ended (KILLED).' },
    ]);
  });

  test('pause and resume tell the node first, and say why not', async () => {
    await using world = await World.begin();
    const { core } = world;
    const id = await core.submit(['seconds=5']);
    await world.settle();
    expect(await core.tasks.pause([id], anna)).toMatchObject([{ ok: true, status: 'PAUSED' }]);
    await world.pass(60_000);
    expect(await core.tasks.pause([id], anna)).toMatchObject([{ ok: false, status: 'PAUSED' }]);
    core.fleet.disconnect(world.nodeId(), false);
    expect(await core.tasks.resume([id], anna)).toMatchObject([
      { ok: false, message: 'Its node cannot be reached now.' },
    ]);
    core.fleet.connect(world.nodeId());
    await world.settle();
    expect(await core.tasks.resume([id], anna)).toMatchObject([{ ok: true, status: 'RUNNING' }]);
    await world.pass(5000);
    expect(core.tasks.get(id).status).toBe('COMPLETED');
  });

  test('remove forgets what has ended, with its log, and nothing else', async () => {
    await using world = await World.begin();
    const { core } = world;
    const ended = await core.submit(['seconds=1', 'print=x']);
    const runs = await core.submit(['seconds=100']);
    await world.reaches(ended, 'COMPLETED');
    expect(await core.tasks.remove([ended, runs])).toMatchObject([
      { ok: true },
      { ok: false, status: 'RUNNING' },
    ]);
    expect(() => core.tasks.get(ended)).toThrow();
    expect(await core.store.logs.taskIds()).not.toContain(ended);
    expect(core.tasks.get(runs).status).toBe('RUNNING');
  });
});
