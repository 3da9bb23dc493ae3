// Kill the core, cut the power of a node, cut the link: work goes on, nothing starts twice, logs
// have no hole and no repeat.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { until } from '../../support/core-client.ts';
import { requirements, Testbed } from '../../support/testbed.ts';

const can = await requirements();
const script = (text: string) => ({ kind: 'script' as const, text });

/** Counts its own starts in a file of the node, then prints a line every 0.1 s. */
const counting = (lines: number) => `echo start >> /tmp/starts-$KOHAKURIVER_TASK_ID
i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo line $i; sleep 0.1; done`;
const expected = (lines: number) =>
  Array.from({ length: lines }, (_, index) => `line ${index + 1}\n`).join('');
const tmp = [{ source: '/tmp', destination: '/tmp' }];

describe.skipIf(!can.isMet)('whatever happens', () => {
  let bed: Testbed;
  let dir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let core: CoreProcess;

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 6, images: ['river/busybox'] });
    dir = await temporaryDataDir();
    core = await startCoreProcess(dir.path, { KOHAKURIVER_NODES_OFFLINE_AFTER_SECONDS: '10' });
    for (const node of bed.nodes) {
      await core.api.nodes.add({
        destination: { host: node.address, user: 'ops' },
        identityFile: bed.keyPath,
        useSshConfig: false,
        consent: 'any-new',
      });
    }
  });
  afterAll(async () => {
    await core?.stop();
    await dir?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  const starts = async (node: string, id: string) =>
    (await bed.sh(node, `cat /tmp/starts-${id}`)).trim().split('\n').length;

  test('kill -9 of the core among ten running tasks and two image pulls', async () => {
    const running: { id: string; node: string }[] = [];
    // Two on each of five nodes: a node of two cores runs two at a time.
    for (let index = 0; index < 10; index += 1) {
      const node = `n${(index % 5) + 1}`;
      const asProcess = index >= 5;
      const id = await core.submit({
        targets: [node],
        cores: 0,
        work: script(counting(120)),
        vessel: asProcess ? { kind: 'process' } : { kind: 'image', reference: 'river/busybox:1' },
        mounts: asProcess ? [] : tmp,
      });
      running.push({ id, node });
    }
    for (const { id } of running) await core.reaches(id, ['RUNNING']);
    await bed.slow('registry', '30mbit');
    const pulls = await Promise.all(
      ['river/big:1', 'river/vps:1'].map((image) =>
        core.submit({
          targets: ['n6'],
          work: script('echo pulled'),
          vessel: { kind: 'image', reference: `${bed.registry!.address}/${image}` },
        }),
      ),
    );
    await until(
      async () => (await core.api.tasks.get({ task: pulls[0]! })).phase?.includes('pull'),
      'an image is being pulled',
    );
    const pid = core.pid;
    await core.kill();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    core = await startCoreProcess(dir.path, { KOHAKURIVER_NODES_OFFLINE_AFTER_SECONDS: '10' });
    expect(core.pid).not.toBe(pid);
    await bed.fast('registry');
    for (const { id, node } of running) {
      expect(await core.reaches(id, undefined, 100_000), id).toMatchObject({
        status: 'COMPLETED',
        attempt: 1,
      });
      expect((await core.log(id)).toString()).toBe(expected(120));
      expect(await starts(node, id)).toBe(1);
    }
    for (const id of pulls) {
      expect(await core.reaches(id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
      expect((await core.log(id)).toString()).toBe('pulled\n');
    }
  });

  test('a link cut for a while: LOST, then what is true', async () => {
    const container = await core.submit({
      targets: ['n1'],
      cores: 0,
      work: script(counting(150)),
      vessel: { kind: 'image', reference: 'river/busybox:1' },
      mounts: tmp,
    });
    const process_ = await core.submit({
      targets: ['n1'],
      cores: 0,
      work: script(counting(150)),
      vessel: { kind: 'process' },
    });
    for (const id of [container, process_]) await core.reaches(id, ['RUNNING']);
    await bed.cutLink('n1');
    for (const id of [container, process_]) await core.reaches(id, ['LOST'], 60_000);
    expect((await core.api.nodes.get({ node: 'n1' })).reason).toBeTruthy();
    await bed.healLink('n1');
    for (const [id, lines] of [
      [container, 150],
      [process_, 150],
    ] as const) {
      expect(await core.reaches(id, undefined, 110_000)).toMatchObject({
        status: 'COMPLETED',
        attempt: 1,
      });
      expect((await core.log(id)).toString()).toBe(expected(lines));
      expect(await starts('n1', id)).toBe(1);
    }
  });

  test('a power cut of the node: LOST, then FAILED with the reason', async () => {
    const container = await core.submit({
      targets: ['n2'],
      cores: 0,
      work: script(counting(600)),
      vessel: { kind: 'image', reference: 'river/busybox:1' },
      mounts: tmp,
    });
    const process_ = await core.submit({
      targets: ['n2'],
      cores: 0,
      work: script(counting(600)),
      vessel: { kind: 'process' },
    });
    for (const id of [container, process_]) await core.reaches(id, ['RUNNING']);
    await until(
      async () => (await core.log(process_, 'stdout', false)).length > 50,
      'there is some output',
    );
    await bed.powerCut('n2');
    for (const id of [container, process_]) await core.reaches(id, ['LOST'], 60_000);
    await bed.boot('n2');
    for (const id of [container, process_]) {
      const task = await core.reaches(id, undefined, 110_000);
      expect(task).toMatchObject({ status: 'FAILED', attempt: 1 });
      expect(task.reason).toBeTruthy();
      const log = (await core.log(id)).toString();
      expect(expected(600).startsWith(log.slice(0, log.lastIndexOf('\n') + 1))).toBe(true);
    }
  });

  test('two cores on one node see each other as foreign and never touch each other', async () => {
    await using otherDir = await temporaryDataDir();
    const other = await startCoreProcess(otherDir.path);
    try {
      await other.api.nodes.add({
        destination: { host: bed.node('n1').address, user: 'ops' },
        identityFile: bed.keyPath,
        useSshConfig: false,
        consent: 'any-new',
      });
      const mine = await core.submit({
        targets: ['n1'],
        cores: 1,
        work: script('sleep 20'),
        vessel: { kind: 'image', reference: 'river/busybox:1' },
      });
      await core.reaches(mine, ['RUNNING']);
      await until(
        async () => (await other.api.nodes.get({ node: 'n1' })).allocated.cores >= 1,
        'the other core sees the use',
      );
      const id = await other.submit({
        targets: ['n1'],
        cores: 1,
        work: script('echo theirs'),
        vessel: { kind: 'process' },
      });
      await other.reaches(id);
      expect((await core.api.tasks.get({ task: mine })).status).toBe('RUNNING');
      await core.api.tasks.kill({ tasks: [mine], graceSeconds: 0 });
      await core.reaches(mine, ['KILLED']);
    } finally {
      await other.stop();
    }
  });

  test('a second core on one directory is refused and names the first', async () => {
    await expect(startCoreProcess(dir.path)).rejects.toThrow(new RegExp(String(core.pid)));
  });
});
