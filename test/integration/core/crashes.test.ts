// Kill the core, cut the power of a node, cut the link, each among ten running tasks and two image
// pulls: work goes on, nothing starts twice, logs have no hole and no repeat. The three happen side
// by side, to nodes of their own.
import { setTimeout as sleep } from 'node:timers/promises';
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
const env = { KOHAKURIVER_NODES_OFFLINE_AFTER_SECONDS: '10' };
const linesPerSecond = 2;
/** As long as a link may be gone by the issue. */
const cutMs = 60_000;
const patienceMs = 240_000;
const timeout = 900_000;

/** Counts its own starts in a file of the node, waits for the word to go on, then prints lines for so long. */
const counting = (seconds: number) => `echo start >> /tmp/starts-$KOHAKURIVER_TASK_ID
until [ -e /tmp/go ]; do sleep 0.5; done
i=0; while [ $i -lt ${seconds * linesPerSecond} ]; do i=$((i+1)); echo line $i; sleep ${1 / linesPerSecond}; done`;
const printed = (seconds: number) =>
  Array.from({ length: seconds * linesPerSecond }, (_, index) => `line ${index + 1}\n`).join('');
const tmp = [{ source: '/tmp', destination: '/tmp' }];

interface Running {
  readonly id: string;
  readonly seconds: number;
}

describe.skipIf(!can.isMet)('among ten running tasks and two image pulls', () => {
  let bed: Testbed;
  const dirs: Awaited<ReturnType<typeof temporaryDataDir>>[] = [];
  /** The one that is killed, and the one whose nodes fail. */
  let killed: CoreProcess;
  let core: CoreProcess;
  let faults = 0;

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 3, images: ['river/busybox'] });
    for (const node of bed.nodes) await bed.claimProcessors(node, 16);
    dirs.push(await temporaryDataDir(), await temporaryDataDir());
    killed = await startCoreProcess(dirs[0]!.path, env);
    core = await startCoreProcess(dirs[1]!.path, env);
    await addNode(killed, 'n1');
    await addNode(core, 'n2');
    await addNode(core, 'n3');
  }, timeout);
  afterAll(async () => {
    await killed?.stop();
    await core?.stop();
    for (const dir of dirs) await dir[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  async function addNode(to: CoreProcess, name: string): Promise<void> {
    await to.api.nodes.add({
      destination: { host: bed.node(name).address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      consent: 'any-new',
    });
  }

  /** Five containers and five processes that run, and two images on their slow way. */
  async function load(on: CoreProcess, node: string, seconds: (index: number) => number) {
    const images = ['river/big:1', 'river/vps:1'].map((it) => `${bed.registry!.address}/${it}`);
    // Another try of this test would find them there.
    await bed.exec(node, ['docker', 'rmi', '--force', ...images]);
    await bed.sh(node, 'rm -f /tmp/go');
    await bed.slow('registry', '4mbit');
    const running: Running[] = [];
    for (let index = 0; index < 10; index += 1) {
      const isProcess = index % 2 === 1;
      const id = await on.submit({
        targets: [node],
        work: script(counting(seconds(index))),
        vessel: isProcess ? { kind: 'process' } : { kind: 'image', reference: 'river/busybox:1' },
        mounts: isProcess ? [] : tmp,
      });
      running.push({ id, seconds: seconds(index) });
    }
    for (const { id } of running) await on.reaches(id, ['RUNNING'], patienceMs);
    const pulls: string[] = [];
    for (const reference of images) {
      const work = script('echo start >> /tmp/starts-$KOHAKURIVER_TASK_ID; echo pulled');
      const vessel = { kind: 'image', reference } as const;
      pulls.push(await on.submit({ targets: [node], work, vessel, mounts: tmp }));
    }
    for (const task of pulls)
      await until(
        async () => (await on.api.tasks.get({ task })).phase?.includes('pull'),
        'an image is being pulled',
        patienceMs,
      );
    await bed.sh(node, 'touch /tmp/go');
    return { running, pulls };
  }

  /** Images come fast again once all three have met their fault in the middle of a pull. */
  async function faultIsOver(): Promise<void> {
    faults += 1;
    if (faults >= 3) await bed.fast('registry');
  }

  async function expectStartedOnce(node: string, ids: readonly string[]): Promise<void> {
    const files = ids.map((id) => `/tmp/starts-${id}`).join(' ');
    expect(await bed.sh(node, `cat ${files}`)).toBe(ids.map(() => 'start').join('\n'));
  }

  /** All of it ended well, in its first attempt, and its log is what it printed. */
  async function expectWhole(on: CoreProcess, running: readonly Running[]): Promise<void> {
    for (const { id, seconds } of running) {
      const task = await on.reaches(id, undefined, patienceMs);
      expect(task, id).toMatchObject({ status: 'COMPLETED', attempt: 1, exitCode: 0 });
      expect((await on.log(id)).toString()).toBe(printed(seconds));
    }
  }

  async function expectPulled(on: CoreProcess, node: string, pulls: readonly string[]) {
    for (const id of pulls) {
      expect(await on.reaches(id, undefined, patienceMs)).toMatchObject({ status: 'COMPLETED' });
      expect((await on.log(id)).toString()).toBe('pulled\n');
    }
    await expectStartedOnce(node, pulls);
  }

  test.concurrent('kill -9 of the core', { timeout }, async () => {
    const { running, pulls } = await load(killed, 'n1', (index) => 8 + 4 * index);
    const { pid } = killed;
    await killed.kill();
    // Long enough for some of them to end unseen.
    await sleep(12_000);
    killed = await startCoreProcess(dirs[0]!.path, env);
    expect(killed.pid).not.toBe(pid);
    await faultIsOver();
    await expectWhole(killed, running);
    await expectPulled(killed, 'n1', pulls);
    await expectStartedOnce(
      'n1',
      running.map(({ id }) => id),
    );
  });

  test.concurrent('the link cut for a minute', { timeout }, async () => {
    const { running, pulls } = await load(core, 'n2', (index) => 40 + 6 * index);
    const ids = running.map(({ id }) => id);
    try {
      await bed.cutLink('n2');
      const aMinute = sleep(cutMs);
      for (const id of [...ids, ...pulls]) await core.reaches(id, ['LOST'], patienceMs);
      expect((await core.api.nodes.get({ node: 'n2' })).reason).toBeTruthy();
      await aMinute;
    } finally {
      await bed.healLink('n2');
    }
    await faultIsOver();
    await expectWhole(core, running);
    await expectPulled(core, 'n2', pulls);
    await expectStartedOnce('n2', ids);
  });

  test.concurrent('a power cut of the node', { timeout }, async () => {
    const { running, pulls } = await load(core, 'n3', () => 600);
    const ids = running.map(({ id }) => id);
    for (const id of ids)
      await until(
        async () => (await core.log(id, 'stdout', false)).length > 0,
        'some output',
        patienceMs,
      );
    try {
      await bed.powerCut('n3');
      for (const id of [...ids, ...pulls]) await core.reaches(id, ['LOST'], patienceMs);
    } finally {
      await bed.boot('n3');
    }
    await faultIsOver();
    for (const id of ids) {
      const task = await core.reaches(id, undefined, patienceMs);
      expect(task, id).toMatchObject({ status: 'FAILED', attempt: 1, exitCode: null });
      expect(task.reason).toContain('Lost with its node');
      const log = (await core.log(id)).toString();
      expect(log).not.toBe('');
      expect(printed(600).startsWith(log), `the log of ${id} begins as it was printed`).toBe(true);
    }
    await expectPulled(core, 'n3', pulls);
    await expectStartedOnce('n3', ids);
  });

  test('two cores on one node see each other as foreign and never touch each other', async () => {
    await using otherDir = await temporaryDataDir();
    const other = await startCoreProcess(otherDir.path);
    try {
      await addNode(other, 'n1');
      const mine = await killed.submit({
        targets: ['n1'],
        cores: 1,
        work: script('sleep 60'),
        vessel: { kind: 'image', reference: 'river/busybox:1' },
      });
      await killed.reaches(mine, ['RUNNING']);
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
      expect((await killed.api.tasks.get({ task: mine })).status).toBe('RUNNING');
      await killed.api.tasks.kill({ tasks: [mine], graceSeconds: 0 });
      await killed.reaches(mine, ['KILLED']);
    } finally {
      await other.stop();
    }
  });

  test('a second core on one directory is refused and names the first', async () => {
    await expect(startCoreProcess(dirs[0]!.path)).rejects.toThrow(new RegExp(String(killed.pid)));
  });
});
