// Orders to many attempts at once: one script does them all, and each gets its own answer.
import { expect, test } from 'vitest';
import { readNodeScript } from '../../../../src-main/runtimes/node-scripts.ts';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import type { AttemptSpec } from '../../../../src-main/runtimes/runtime.ts';
import { attemptOf, core, launch, never, otherCore, runToEnd, seeInLog } from '../support.ts';
import { changes, runtimeOver, type ProcessStage } from './stage.ts';

/** A link that counts how often it runs a script of ours. */
function counting(link: NodeLink) {
  const counts = new Map<string, number>();
  const runScript: NodeLink['runScript'] = (script, args, options) => {
    counts.set(script, (counts.get(script) ?? 0) + 1);
    return link.runScript(script, args, options);
  };
  return {
    link: new Proxy(link, {
      get: (target, name: keyof NodeLink) => {
        if (name === 'runScript') return runScript;
        const value: unknown = target[name];
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    }),
    runs: (name: `${string}.sh`) => counts.get(readNodeScript(name)) ?? 0,
  };
}

const term = { signal: 'SIGTERM', graceMs: 2000 };
const signalOf = (signal: string) => ({ kind: 'ended', end: { signal } });

export function describeMany(stage: () => ProcessStage): void {
  test.each([
    ['this computer', 'shell'],
    ['this computer', 'runner'],
    ['busybox', 'shell'],
    ['SSH', 'shell'],
    ['SSH', 'runner'],
  ] as const)(
    'each of many that are stopped at once gets its own answer: %s, started by a %s',
    async (where, by) => {
      const { local, busybox, ssh } = stage();
      const counted = counting({ 'this computer': local, busybox, SSH: ssh }[where]);
      const { link } = counted;
      const runtime = runtimeOver(link, core, by === 'runner' ? 'always' : 'never');
      const other = runtimeOver(link, otherCore);
      const begin = async (text: string): Promise<AttemptSpec> => {
        const spec = attemptOf(`${text}; echo up; while :; do sleep 0.05; done`, changes);
        await launch(runtime, spec);
        await seeInLog(runtime, spec, 'up');
        return spec;
      };
      const plain = await Promise.all(Array.from({ length: 20 }, () => begin(':')));
      const stubborn = await begin('trap "" TERM');
      // One after the other starts one that stays, and the next of its kind.
      const word = `${String(Date.now())}.5`;
      const forking = await begin(
        `trap "" TERM; f() { sleep 0.02; sleep ${word} & (f & ); }; (f &); sleep 0.2`,
      );
      const frozen = [await begin(':'), await begin('trap "echo got; exit 5" TERM')];
      await Promise.all(frozen.map((spec) => runtime.pause(spec)));
      const ended = attemptOf('exit 3', changes);
      await runToEnd(runtime, ended);
      const foreign = attemptOf('sleep 600', changes);
      await launch(other, foreign);
      const absent = attemptOf('true', changes);

      const before = counted.runs('process-signal.sh');
      const live = [...plain, ...frozen, stubborn, forking];
      const stops = [...live, ended, absent, foreign].map((spec) => runtime.stop(spec, term));
      // Twice at a time, with another signal, which does nothing.
      const again = runtime.stop(stubborn, { signal: 'SIGWINCH', graceMs: 2000 });
      const answers = await Promise.allSettled([...stops, again]);
      expect(answers).toMatchObject([
        ...live.map(() => ({ value: { delivered: true } })),
        { value: { delivered: false } },
        { value: { delivered: false } },
        { reason: { code: 'process/creation' } },
        { value: { delivered: true } },
      ]);
      // A round for all, perhaps one for who was still to be looked at, and those of SIGKILL.
      expect(counted.runs('process-signal.sh') - before).toBeLessThan(12);

      const ends = await Promise.all(live.map((spec) => runtime.waitForEnd(spec, never)));
      const kill = signalOf('SIGKILL');
      expect(ends.map((end) => end?.condition)).toMatchObject([
        ...plain.map(() => signalOf('SIGTERM')),
        signalOf('SIGTERM'),
        { kind: 'ended', end: { exitCode: 5 } },
        kill,
        kill,
      ]);
      const left = await link.run(['sh', '-c', 'ps -A -o args 2>/dev/null || ps -o args']);
      expect(left.stdout.toString()).not.toContain(word);
      expect((await other.inspect(foreign))?.condition.kind).toBe('running');

      await other.stop(foreign, { signal: 'SIGKILL', graceMs: 0 });
      await other.remove(foreign, { keep: false });
      await Promise.all([...live, ended].map((spec) => runtime.remove(spec, { keep: false })));
      await Promise.all([runtime.close(), other.close()]);
    },
  );

  test.each(['this computer', 'busybox', 'SSH'] as const)(
    'many are paused, looked at and resumed together: %s',
    async (where) => {
      const { local, busybox, ssh } = stage();
      const counted = counting({ 'this computer': local, busybox, SSH: ssh }[where]);
      const runtime = runtimeOver(counted.link, core, 'never');
      const specs = Array.from({ length: 12 }, () => attemptOf('sleep 600', changes));
      await Promise.all(specs.map((spec) => launch(runtime, spec)));
      const ended = attemptOf('true', changes);
      await runToEnd(runtime, ended);
      // One whose wrapper is gone, and one that never was.
      const [orphan] = specs;
      await counted.link.runScript(
        'read -r pid _ < "$HOME/.kohakuriver/test-machine/tasks/$1/1/pid"; kill -KILL "$pid"',
        [orphan!.taskId],
      );
      const absent = attemptOf('true', changes);
      const all = [...specs, ended, absent];
      // It has heard of none of these.
      const later = runtimeOver(counted.link);
      await later.list();
      const kinds = async () => {
        const runs = counted.runs('process-list.sh');
        const seen = await Promise.all(all.map((spec) => later.inspect(spec)));
        expect(counted.runs('process-list.sh') - runs).toBeLessThanOrEqual(1);
        return seen.map((found) => found?.condition.kind);
      };
      const expected = (kind: string) => [
        'running',
        ...specs.slice(1).map(() => kind),
        'ended',
        undefined,
      ];
      const results = await Promise.allSettled(all.map((spec) => later.pause(spec)));
      const ok = specs.map(() => 'fulfilled');
      expect(results.map(({ status }) => status)).toEqual([...ok, 'rejected', 'rejected']);
      expect(await kinds()).toEqual(expected('paused'));
      await Promise.all(specs.map((spec) => later.resume(spec)));
      expect(await kinds()).toEqual(expected('running'));
      expect(counted.runs('process-signal.sh')).toBe(2);
      await Promise.all(specs.map((spec) => later.stop(spec, term)));
      expect(new Set(await kinds())).toEqual(new Set(['ended', undefined]));
      await Promise.all([...specs, ended].map((spec) => later.remove(spec, { keep: false })));
      await Promise.all([runtime.close(), later.close()]);
    },
  );
}
