// Work that starts processes faster than anybody can list them: nothing of it gets away.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readNodeScript } from '../../../../src-main/runtimes/node-scripts.ts';
import { attemptOf, core, launch, never, seeInLog, sshTo } from '../support.ts';
import { changes, runtimeOver, type ProcessStage } from './stage.ts';

const places = [
  ['this computer', 'shell'],
  ['this computer', 'runner'],
  ['busybox', 'shell'],
  ['SSH', 'shell'],
] as const;

/** Once it has been paused long enough for whatever was under way to be seen. */
const stillMs = 300;
let words = 0;

export function describeForking(stage: () => ProcessStage): void {
  /** Each child starts one that stays, and the next of its kind, without a pause. */
  async function begin(where: (typeof places)[number][0], by: 'shell' | 'runner') {
    const { local, busybox, ssh } = stage();
    const link = { 'this computer': local, busybox, SSH: ssh }[where];
    const runtime = runtimeOver(link, core, by === 'runner' ? 'always' : 'never');
    words += 1;
    const word = `40.${String(Date.now())}${String(words)}`;
    const ends = `/tmp/ends-${word}`;
    // Not a function that calls itself: shells end that after a thousand.
    const next = `[ -e ${ends} ] || { sleep ${word} & sh -c "$0" "$0" & }`;
    const chain = `trap "" TERM; chain='${next}'; sh -c "$chain" "$chain"`;
    onTestFinished(async () => {
      // What got away does not fill the machine of whoever breaks this.
      await link.run(['sh', '-c', `: > ${ends}; sleep 0.5; rm ${ends}`]);
      await runtime.close();
    });
    const count = async () => {
      const list = await link.run(['sh', '-c', 'ps -A -o args 2>/dev/null || ps -o args']);
      return list.stdout
        .toString()
        .split('\n')
        .filter((line) => line.startsWith(`sleep ${word}`)).length;
    };
    const spec = (end: string) => attemptOf(`${chain}; sleep 0.3; echo up; ${end}`, changes);
    return { runtime, count, ends, spec };
  }

  test.each(places)(
    'work that forks without end is paused, goes on and is killed whole: %s, started by a %s',
    async (where, by) => {
      const { runtime, count, ends, spec: specOf } = await begin(where, by);
      const spec = specOf(`while [ ! -e ${ends} ]; do sleep 0.05; done`);
      await launch(runtime, spec);
      await seeInLog(runtime, spec, 'up');
      await runtime.pause(spec);
      const paused = await count();
      expect(paused).toBeGreaterThan(5);
      await sleep(stillMs);
      expect(await count()).toBe(paused);
      await runtime.resume(spec);
      await expect.poll(count).toBeGreaterThan(paused);

      await runtime.stop(spec, { signal: 'SIGTERM', graceMs: 300 });
      const end = await runtime.waitForEnd(spec, never);
      expect(end?.condition).toMatchObject({ kind: 'ended', end: { signal: 'SIGKILL' } });
      expect(await count()).toBe(0);
      await runtime.remove(spec, { keep: false });
    },
  );

  test.each(places)(
    'what work leaves that forks without end is ended with it, and its exit code kept: %s, started by a %s',
    async (where, by) => {
      const { runtime, count, spec: specOf } = await begin(where, by);
      for (const end of ['exit 3', 'sleep 1; exit 3']) {
        const spec = specOf(end);
        await launch(runtime, spec);
        const ended = await runtime.waitForEnd(spec, never);
        expect(ended?.condition).toMatchObject({ kind: 'ended', end: { exitCode: 3 } });
        expect(await count()).toBe(0);
        await runtime.remove(spec, { keep: false });
      }
    },
  );

  /** With those that count. */
  const countOwn = 'count=$(ps -u "$(id -u)" -L -o pid= | wc -l)';

  test('where no process can be made any more, work is killed all the same, and its end recorded', async () => {
    await using link = await sshTo(stage().bed, 'n1', 'ops');
    const runtime = runtimeOver(link, core, 'never');
    const left = async (word: string) => {
      const list = await link.run(['sh', '-c', 'ps -u "$(id -u)" -o args=']);
      return list.stdout
        .toString()
        .split('\n')
        .filter((line) => line.includes(word));
    };
    for (let room = -9; room <= 1; room += 1) {
      words += 1;
      const word = `sleep 40.${String(Date.now())}${String(words)}`;
      const two = `trap "" TERM; ${word} & ${word} &`;

      const leaving = attemptOf(
        `${two} ${countOwn}; prlimit --pid "$PPID" --nproc="$((count + ${String(room)}))"; exit 3`,
        changes,
      );
      await launch(runtime, leaving);
      const ended = await runtime.waitForEnd(leaving, never);
      expect(ended?.condition).toMatchObject({ kind: 'ended', end: { exitCode: 3 } });
      expect(await left(word)).toEqual([]);

      const killed = attemptOf(`${two} echo up; wait`, changes);
      await launch(runtime, killed);
      await seeInLog(runtime, killed, 'up');
      const text = `${countOwn}; ulimit -u "$((count + ${String(room)}))"; shift; eval "$text"`;
      const script = readNodeScript('process-signal.sh');
      const order = [killed.taskId, '1', 'KILL', 'work', '20'];
      const all = ['test-machine', core, ...order];
      const said = await link.run([...['sh', '-c', `text=$1; ${text}`, 'sh'], ...[script, ...all]]);
      expect(said.stdout.toString()).toMatch(/^1 signalled [1-9]\d*$/m);
      const end = await runtime.waitForEnd(killed, never);
      expect(end?.condition).toMatchObject({ kind: 'ended', end: { signal: 'SIGKILL' } });
      expect(await left(word)).toEqual([]);
      for (const spec of [leaving, killed]) await runtime.remove(spec, { keep: false });
    }
    await runtime.close();
  });
}
