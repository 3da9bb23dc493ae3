// What every runtime promises, over whatever link: one suite for all of them.
import { describe, expect, test } from 'vitest';
import type { CoreId } from '../../../src-main/contract/ids.ts';
import type { AttemptSpec, Runtime } from '../../../src-main/runtimes/runtime.ts';
import {
  attemptOf as anyAttempt,
  core,
  launch,
  never,
  otherCore,
  readAll,
  runToEnd,
  seeInLog,
  sha1,
} from './support.ts';

export interface RuntimeUnderTest {
  /** A runtime of its own for a core, on the same node. */
  open(core: CoreId): Promise<Runtime>;
  /** What attempts of this runtime have that others have not. */
  readonly changes: Partial<AttemptSpec>;
}

export function describeRuntime(name: string, under: () => RuntimeUnderTest): void {
  const attemptOf = (text: string, changes: Partial<AttemptSpec> = {}) =>
    anyAttempt(text, { ...under().changes, ...changes });

  async function withRuntime(action: (runtime: Runtime) => Promise<void>): Promise<void> {
    const runtime = await under().open(core);
    try {
      await action(runtime);
    } finally {
      await runtime.close();
    }
  }

  describe(name, () => {
    test('runs an attempt, tells its exit code and both streams apart', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('echo out "$GREETING"; echo err >&2; exit 3', {
          env: { GREETING: 'it\'s\n$HOME `x` "q"' },
        });
        const ended = await runToEnd(runtime, spec);
        expect(ended).toMatchObject({
          core,
          taskId: spec.taskId,
          attempt: 1,
          owner: 'anna',
          condition: { kind: 'ended', end: { exitCode: 3, signal: null, oomKilled: false } },
        });
        const log = await readAll(runtime, spec);
        expect(log.stdout.toString()).toBe('out it\'s\n$HOME `x` "q"\n');
        expect(log.stderr.toString()).toBe('err\n');
        await runtime.remove(spec, { keep: false });
        expect(await runtime.inspect(spec)).toBeUndefined();
      }));

    test('passes an argument vector as it is', () =>
      withRuntime(async (runtime) => {
        const argv = ['printf', '%s|', 'a b', "'", '$HOME', '', '*', 'line\nbreak', 'ü'];
        const spec = attemptOf('', { work: { kind: 'command', argv } });
        await runToEnd(runtime, spec);
        expect((await readAll(runtime, spec)).stdout.toString()).toBe(
          "a b|'|$HOME||*|line\nbreak|ü|",
        );
        await runtime.remove(spec, { keep: false });
      }));

    test('starts an attempt once, however often it is asked', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('echo ran');
        const prepared = await runtime.prepare(spec, {
          signal: never,
          onProgress: () => undefined,
        });
        const again = await under().open(core);
        await Promise.all([runtime.create(spec, prepared), again.create(spec, prepared)]);
        expect((await runtime.inspect(spec))?.condition).toEqual({ kind: 'created' });
        await Promise.all([runtime.start(spec), runtime.start(spec), runtime.start(spec)]);
        await runtime.waitForEnd(spec, never);
        await again.start(spec);
        await runtime.create(spec, prepared);
        await runtime.start(spec);
        const ended = await again.waitForEnd(spec, never);
        expect(ended?.condition).toMatchObject({ kind: 'ended', end: { exitCode: 0 } });
        expect((await readAll(runtime, spec)).stdout.toString()).toBe('ran\n');
        await runtime.remove(spec, { keep: false });
        await again.close();
      }));

    test('says 127 for a command that is not there', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('', { work: { kind: 'command', argv: ['no-such-program', 'x'] } });
        expect((await runToEnd(runtime, spec)).condition).toMatchObject({
          kind: 'ended',
          end: { exitCode: 127 },
          problem: expect.stringContaining('not found') as string,
        });
        await runtime.remove(spec, { keep: false });
      }));

    test('stops with the signal asked for, and with SIGKILL after the grace', () =>
      withRuntime(async (runtime) => {
        const polite = attemptOf(
          'trap "echo got it; exit 5" INT; echo up; while :; do sleep 0.05; done',
        );
        await launch(runtime, polite);
        await seeInLog(runtime, polite, 'up');
        expect(await runtime.stop(polite, { signal: 'SIGINT', graceMs: 20_000 })).toEqual({
          delivered: true,
        });
        expect((await runtime.inspect(polite))?.condition).toMatchObject({
          kind: 'ended',
          end: { exitCode: 5, signal: null },
        });
        expect(await runtime.stop(polite, { signal: 'SIGTERM', graceMs: 0 })).toEqual({
          delivered: false,
        });
        await runtime.remove(polite, { keep: false });

        const stubborn = attemptOf(
          'trap "" TERM; sleep 600 & echo up; while :; do sleep 0.05; done',
        );
        await launch(runtime, stubborn);
        await seeInLog(runtime, stubborn, 'up');
        expect(await runtime.stop(stubborn, { signal: 'SIGTERM', graceMs: 300 })).toEqual({
          delivered: true,
        });
        expect((await runtime.inspect(stubborn))?.condition).toMatchObject({
          kind: 'ended',
          end: { exitCode: 137, signal: 'SIGKILL', oomKilled: false },
        });
        await runtime.remove(stubborn, { keep: false });
      }));

    test('pauses and resumes, each as often as asked, and stops what is paused', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('echo up; while :; do sleep 0.05; done');
        await launch(runtime, spec);
        await seeInLog(runtime, spec, 'up');
        await runtime.pause(spec);
        await runtime.pause(spec);
        expect((await runtime.inspect(spec))?.condition.kind).toBe('paused');
        await runtime.resume(spec);
        await runtime.resume(spec);
        expect((await runtime.inspect(spec))?.condition.kind).toBe('running');
        await runtime.pause(spec);
        expect(await runtime.stop(spec, { signal: 'SIGTERM', graceMs: 5000 })).toEqual({
          delivered: true,
        });
        expect((await runtime.inspect(spec))?.condition).toMatchObject({
          kind: 'ended',
          end: { signal: 'SIGTERM' },
        });
        await runtime.remove(spec, { keep: false });
      }));

    test('keeps random bytes exact through cuts at any place, live and afterwards', () =>
      withRuntime(async (runtime) => {
        // Lines of all lengths, a long stretch without any, and both streams at once.
        const text = `
          head -c 700000 /dev/urandom > /tmp/$$.a; head -c 300000 /dev/zero >> /tmp/$$.a
          yes x | head -n 20000 > /tmp/$$.b; head -c 400000 /dev/urandom >> /tmp/$$.b
          cat /tmp/$$.a & cat /tmp/$$.b >&2; wait
          sleep 0.3; sha1sum < /tmp/$$.a; sha1sum < /tmp/$$.b; rm /tmp/$$.a /tmp/$$.b`;
        const spec = attemptOf(text);
        await launch(runtime, spec);
        let seed = 42;
        const cuts = () => (seed = (seed * 16_807) % 2_147_483_647) % 12 || 1;
        const live = await readAll(runtime, spec, cuts);
        const after = await readAll(runtime, spec, cuts);
        const whole = await readAll(runtime, spec);
        const sums = live.stdout.subarray(-88).toString();
        expect(sums).toContain(sha1(live.stdout.subarray(0, -88)));
        expect(sums).toContain(sha1(live.stderr));
        expect([sha1(after.stdout), sha1(after.stderr)]).toEqual([
          sha1(live.stdout),
          sha1(live.stderr),
        ]);
        expect([sha1(whole.stdout), sha1(whole.stderr)]).toEqual([
          sha1(live.stdout),
          sha1(live.stderr),
        ]);
        expect([live.gaps, after.gaps, whole.gaps]).toEqual([0, 0, 0]);
        await runtime.remove(spec, { keep: false });
      }));

    test('brings 32 MB of random bytes over whole', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf(
          'head -c 32000000 /dev/urandom > /tmp/$$; cat /tmp/$$; sha1sum < /tmp/$$ >&2; rm /tmp/$$',
        );
        await launch(runtime, spec);
        const { stdout, stderr } = await readAll(runtime, spec);
        expect(stdout.length).toBe(32_000_000);
        expect(stderr.toString()).toContain(sha1(stdout));
        await runtime.remove(spec, { keep: false });
      }));

    test('follows a log that grows slowly, and ends with the attempt', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('for i in 1 2 3 4; do echo $i; sleep 0.3; done; printf end');
        await launch(runtime, spec);
        const begun = performance.now();
        expect((await readAll(runtime, spec)).stdout.toString()).toBe('1\n2\n3\n4\nend');
        expect(performance.now() - begun).toBeLessThan(8000);
        await runtime.remove(spec, { keep: false });
      }));

    test('waits through created, and gives up waiting when told to', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('sleep 0.2');
        const prepared = await runtime.prepare(spec, {
          signal: never,
          onProgress: () => undefined,
        });
        await runtime.create(spec, prepared);
        const waiting = runtime.waitForEnd(spec, never);
        const impatient = new AbortController();
        const givenUp = expect(runtime.waitForEnd(spec, impatient.signal)).rejects.toThrow();
        setTimeout(() => {
          impatient.abort();
        }, 100);
        await givenUp;
        await runtime.start(spec);
        expect((await waiting)?.condition.kind).toBe('ended');
        await runtime.remove(spec, { keep: false });
        expect(await runtime.waitForEnd(spec, never)).toBeUndefined();
      }));

    test('does not remove what runs; keeps an ended one out of the way', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('echo up; sleep 600');
        await launch(runtime, spec);
        await expect(runtime.remove(spec, { keep: false })).rejects.toThrow('still runs');
        await runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 });
        await runtime.remove(spec, { keep: true });
        await runtime.remove(spec, { keep: true });
        expect((await runtime.list()).filter(({ taskId }) => taskId === spec.taskId)).toEqual([]);
        const next = { ...spec, attempt: 2, work: { kind: 'script', text: 'exit 4' } } as const;
        expect((await runToEnd(runtime, next)).condition).toMatchObject({ end: { exitCode: 4 } });
        expect((await readAll(runtime, spec)).stdout.toString()).toBe('up\n');
        await runtime.remove(next, { keep: false });
        await runtime.remove(spec, { keep: false });
        await runtime.remove(spec, { keep: false });
        expect(await runtime.inspect(spec)).toBeUndefined();
      }));

    test('shows two cores each other, and lets neither touch what is not its own', () =>
      withRuntime(async (runtime) => {
        const other = await under().open(otherCore);
        const spec = attemptOf('sleep 600', { cores: 2, memoryBytes: 64 * 1024 ** 2 });
        await launch(runtime, spec);
        const seen = (await other.list()).find(({ taskId }) => taskId === spec.taskId);
        expect(seen).toMatchObject({
          core,
          condition: { kind: 'running' },
          uses: { cores: 2, memoryBytes: 64 * 1024 ** 2, gpuUuids: [] },
        });
        expect(await other.inspect(spec)).toBeUndefined();
        const prepared = await other.prepare(spec, { signal: never, onProgress: () => undefined });
        await expect(other.create(spec, prepared)).rejects.toThrow('left alone');
        await expect(other.start(spec)).rejects.toThrow();
        await other.stop(spec, { signal: 'SIGKILL', graceMs: 0 }).catch(() => undefined);
        await other.remove(spec, { keep: false }).catch(() => undefined);
        await other.remove(spec, { keep: true }).catch(() => undefined);
        expect((await runtime.inspect(spec))?.condition.kind).toBe('running');
        await other.close();
        await runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 });
        await runtime.remove(spec, { keep: false });
      }));

    test('tells of an end nobody ordered', () =>
      withRuntime(async (runtime) => {
        const spec = attemptOf('sleep 0.3');
        await launch(runtime, spec);
        await new Promise<void>((resolve) => {
          const listener = runtime.onDidChange(() => {
            void runtime.inspect(spec).then((found) => {
              if (found?.condition.kind !== 'ended') return;
              listener[Symbol.dispose]();
              resolve();
            });
          });
        });
        await runtime.remove(spec, { keep: false });
      }));
  });
}
