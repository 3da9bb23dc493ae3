// What a runner on the node starts, and what becomes of it when something goes wrong.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import { quoteForShell } from '../../../../src-main/link/quote.ts';
import { readNodeScript } from '../../../../src-main/runtimes/node-scripts.ts';
import type { AttemptSpec } from '../../../../src-main/runtimes/runtime.ts';
import type { Testbed } from '../../../support/testbed.ts';
import { attemptOf, core, launch, never, readAll, runToEnd, seeInLog, sshTo } from '../support.ts';
import { changes, directoryOf, launchByRunner, runtimeOver, type ProcessStage } from './stage.ts';

export function describeRunner(stage: () => ProcessStage): void {
  describe('processes that a runner starts', () => {
    let bed: Testbed;
    let ssh: NodeLink;
    let local: NodeLink;
    let home: string;
    beforeAll(() => {
      ({ bed, ssh, local, home } = stage());
    });

    test('what a runner has started goes on without the link, and is collected over the next one', async () => {
      const link = await sshTo(bed, 'n1', 'root');
      const runtime = runtimeOver(link, core, 'always');
      const env = { TOKEN: 'sesame-4712' };
      const texts = ['echo "got ${#TOKEN}"; sleep 2; exit 9', 'sleep 4322 & sleep 2; exit 3'];
      const specs = texts.map((text) => attemptOf(text, { ...changes, env }));
      for (const spec of specs) await launch(runtime, spec);
      const [first] = specs;
      if (first !== undefined) await seeInLog(runtime, first, 'got 11');
      expect(await bed.sh('n1', 'grep -rl sesame-4712 /root/.kohakuriver || true')).toBe('');
      await link.close();
      const later = runtimeOver(ssh);
      const ends = await Promise.all(specs.map((spec) => later.waitForEnd(spec, never)));
      expect(ends).toMatchObject(
        [9, 3].map((exitCode) => ({ condition: { kind: 'ended', end: { exitCode } } })),
      );
      expect(await bed.sh('n1', 'pgrep -fc "sleep 432[2]" || true')).toBe('0');
      for (const spec of specs) await later.remove(spec, { keep: false });
      await later.close();
      // With nothing left to wait for, it is gone, too.
      await bed.sh('n1', 'while pgrep -f "python3 -IS[c]" >/dev/null; do sleep 0.1; done');
    });

    test('a runner that is killed leaves the work running, and others start it from then on', async () => {
      const runtime = runtimeOver(ssh, core, 'always');
      const [held, after] = [attemptOf('sleep 600', changes), attemptOf('exit 4', changes)];
      await launch(runtime, held);
      const lost = new Promise<void>((resolve) => {
        runtime.onDidChange(resolve);
      });
      await bed.sh('n1', 'pkill -9 -f "python3 -IS[c]"');
      await lost;
      expect((await runtime.inspect(held))?.condition.kind).toBe('running');
      expect((await runToEnd(runtime, after)).condition).toMatchObject({ end: { exitCode: 4 } });
      await runtime.stop(held, { signal: 'SIGTERM', graceMs: 5000 });
      expect((await runtime.inspect(held))?.condition).toMatchObject({
        kind: 'ended',
        end: { exitCode: null },
        problem: expect.stringContaining('vanished') as string,
      });
      for (const spec of [held, after]) await runtime.remove(spec, { keep: false });
      await runtime.close();
    });

    test('killed amid a burst, a runner leaves nothing that nobody knows of', async () => {
      const runtime = runtimeOver(ssh, core, 'always');
      const specs = Array.from({ length: 12 }, () => attemptOf('sleep 4323', changes));
      const launched = Promise.all(specs.map((spec) => launch(runtime, spec)));
      const tasks = '/root/.kohakuriver/test-machine/tasks';
      const third = `${tasks}/${specs[2]!.taskId}/1`;
      await bed.sh(
        'n1',
        `until [ -e ${third} ]; do :; done; pkill -9 -f "python3 -IS[c]"; ! grep -l "not yet" ${tasks}/*/1/pid`,
      );
      // What it took with it is started by the shell, and what it had in its place is there.
      await launched;
      const lives = async () => {
        const found = await Promise.all(specs.map((spec) => runtime.inspect(spec)));
        return found.filter((one) => one?.condition.kind === 'running').length;
      };
      const running = await lives();
      expect(running).toBeGreaterThanOrEqual(11);
      // One may have been held while it died, and is not any more.
      const works = () => bed.sh('n1', 'pgrep -c -x -f "sleep 432[3]" || true');
      await expect.poll(works, { timeout: 60_000 }).toBe(String(running));
      await Promise.all(specs.map((spec) => runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 })));
      expect([await lives(), await works()]).toEqual([0, '0']);
      await Promise.all(specs.map((spec) => runtime.remove(spec, { keep: false })));
      await runtime.close();
    });

    test('what a runner uses again for another attempt has nothing of the earlier one', async () => {
      const runtime = runtimeOver(ssh, core, 'always');
      const inodes = async (spec: AttemptSpec) => {
        const listed = await bed.sh('n1', `cd /root/${directoryOf(spec)} && stat -c '%n %i' . *`);
        return new Map(listed.split('\n').map((line) => line.split(' ') as [string, string]));
      };
      // By another name, since what makes a session of its own by this one is not started by a runner.
      const leaves = `import os, time
if os.fork() == 0:
    getattr(os, 'set' 'sid')()
    while True:
        os.write(1, b'sesame-4714 ')
        time.sleep(0.01)
time.sleep(0.3)`;
      const texts = [`exec python3 -c ${quoteForShell([leaves])}`, 'echo sesame-4714; sleep 0.1'];
      const found = [];
      for (const text of [...texts, 'echo new; sleep 0.3']) {
        const spec = await launchByRunner(bed, runtime, text, '/root');
        found.push(await inodes(spec));
        await runtime.waitForEnd(spec, never);
        // After a power cut a file may have its earlier text: a record is that of one attempt.
        const record = await bed.sh('n1', `cat /root/${directoryOf(spec)}/exit_code`);
        expect(record.trim()).toMatch(new RegExp(`^2 0 \\d+ 0 ${spec.taskId}/1$`));
        const printed = (await readAll(runtime, spec)).stdout.toString();
        if (text !== texts[0])
          expect(printed).toBe(text.includes('new') ? 'new\n' : 'sesame-4714\n');
        // Somebody reads what it was.
        if (text === texts[1])
          await bed.sh('n1', `sleep 4326 < /root/${directoryOf(spec)}/meta > /dev/null 2>&1 &`);
        await runtime.remove(spec, { keep: false });
      }
      const [first, second, third] = found;
      // It is the same directory, but not the log that something still writes to.
      expect(second?.get('.')).toBe(first?.get('.'));
      expect(second?.get('meta')).toBe(first?.get('meta'));
      expect(second?.get('stdout.log')).not.toBe(first?.get('stdout.log'));
      expect(third?.get('stdout.log')).toBe(second?.get('stdout.log'));
      expect(third?.get('meta')).not.toBe(second?.get('meta'));
      expect(await bed.sh('n1', 'grep -rl sesame-4714 /root/.kohakuriver || true')).toBe('');
      await bed.sh('n1', 'pkill -f "sesame-471[4]"; pkill -x -f "sleep 432[6]"');
      await runtime.close();
    });

    test('ends that nobody tells of are found, also where many are waited for', async () => {
      const runtime = runtimeOver(ssh);
      const texts = [...Array.from({ length: 6 }, () => 'sleep 4325'), 'sleep 600'];
      const specs = texts.map((text) => attemptOf(text, changes));
      await Promise.all(specs.map((spec) => launch(runtime, spec)));
      const vanished = specs.slice(0, 6);
      const ends = Promise.all(vanished.map((spec) => runtime.waitForEnd(spec, never)));
      await bed.sh(
        'n1',
        'pkill -9 -s "$(pgrep -d , -x -f "sleep 432[5]" | xargs ps -o sid= -p | sort -u | paste -sd, | tr -d " ")"',
      );
      expect(await ends).toMatchObject(
        vanished.map(() => ({
          condition: { problem: expect.stringContaining('vanished') as string },
        })),
      );
      const [alive] = specs.slice(6);
      expect((await runtime.inspect(alive!))?.condition.kind).toBe('running');
      await runtime.stop(alive!, { signal: 'SIGKILL', graceMs: 0 });
      await Promise.all(specs.map((spec) => runtime.remove(spec, { keep: false })));
      await runtime.close();
    });

    test('what many say at about the same time, a runner tells in few pieces', async () => {
      const script = readNodeScript('process-runner.py');
      const start = 'exec python3 -ISc "$@" $$';
      const env = { ...process.env, HOME: home };
      const runner = spawn('sh', ['-c', start, 'sh', script, 'test-machine', '7', 'w'], { env });
      const orders = Array.from({ length: 100 }, (_, number) => {
        const rest = { meta: 'core=7', env: {}, argv: ['true'], workdir: null, at: 0 };
        return `${JSON.stringify({ path: `${number + 1}/1`, ...rest })}\n`;
      });
      let told = '';
      let pieces = 0;
      runner.stdout.on('data', (piece: Buffer) => {
        told += piece.toString();
        pieces += 1;
      });
      await expect.poll(() => told).toContain('ready');
      const begun = performance.now();
      runner.stdin.write(orders.join(''));
      await expect.poll(() => told.match(/^exit /gm)?.length, { interval: 5 }).toBe(100);
      expect(pieces).toBeLessThan(25 + (performance.now() - begun) / 20);
      runner.stdin.end();
      await once(runner, 'exit');
      rmSync(join(home, '.kohakuriver/test-machine/tasks'), { recursive: true });
    });

    test('what has ended runs until that is recorded, however long a runner has to try', async () => {
      await using link = await sshTo(bed, 'n1', 'ops');
      const [earlier, later] = [runtimeOver(link, core, 'always'), runtimeOver(link)];
      await bed.sh('n1', 'su ops -c "mkfifo /home/ops/go"');
      const spec = await launchByRunner(bed, earlier, 'read -r line < ~/go; exit 5', '/home/ops');
      const dir = `/home/ops/${directoryOf(spec)}`;
      await bed.sh(
        'n1',
        `cd ${dir}; chmod 400 exit_code; echo > /home/ops/go
  until grep -q '^State:.Z' "/proc/$(cut -d ' ' -f 1 pid)/status"; do sleep 0.05; done`,
      );
      expect((await later.inspect(spec))?.condition.kind).toBe('running');
      await bed.sh('n1', `chmod 600 ${dir}/exit_code`);
      expect((await later.waitForEnd(spec, never))?.condition).toMatchObject({
        end: { exitCode: 5 },
      });
      await later.remove(spec, { keep: false });
      await earlier.close();
      await later.close();
    });

    test('a runner starts nothing any more once a later connection of its core has looked', async () => {
      const [earlier, later] = [runtimeOver(ssh, core, 'always'), runtimeOver(ssh)];
      const waits = 'until [ -e /root/end-the-first ]; do sleep 0.1; done; exit 6';
      const first = await launchByRunner(bed, earlier, waits, '/root');
      const second = await launchByRunner(bed, earlier, 'sleep 600', '/root');
      const third = attemptOf('sleep 600', changes);
      const ended = later.waitForEnd(first, never);
      expect(await later.inspect(third)).toBeUndefined();
      await launch(earlier, third);
      expect(await bed.sh('n1', `ls /root/${directoryOf(third)}`)).toContain('run.sh');
      await bed.sh('n1', 'touch /root/end-the-first');
      // It tells the later one, although its own connection seems to be there.
      expect((await ended)?.condition).toMatchObject({ end: { exitCode: 6 } });
      for (const spec of [first, second, third]) {
        await later.stop(spec, { signal: 'SIGKILL', graceMs: 0 });
        await later.remove(spec, { keep: false });
      }
      await earlier.close();
      await later.close();
    });

    test('where a runner can make no process, it tries for a while, and the shell does it then', async () => {
      const runtime = runtimeOver(ssh, core, 'always');
      const specs = [2, 5, 8].map((code) => attemptOf(`exit ${code}`, changes));
      const [before, meanwhile, after] = specs;
      const allowFiles = (most: number) =>
        bed.sh(
          'n1',
          `python3 -c 'import resource, sys; resource.prlimit(int(sys.argv[1]), resource.RLIMIT_NOFILE, (${most}, 64))' $(pgrep -f "python3 -IS[c]")`,
        );
      await runToEnd(runtime, before!);
      await allowFiles(3);
      expect((await runToEnd(runtime, meanwhile!)).condition).toMatchObject({
        end: { exitCode: 5 },
      });
      await allowFiles(64);
      expect((await runToEnd(runtime, after!)).condition).toMatchObject({ end: { exitCode: 8 } });
      const wrappers = await bed.sh(
        'n1',
        `cd /root/.kohakuriver/test-machine/tasks; ls ${specs.map(({ taskId }) => `${taskId}/1/run.sh`).join(' ')} 2>/dev/null || true`,
      );
      expect(wrappers).toBe(`${meanwhile!.taskId}/1/run.sh`);
      for (const spec of specs) await runtime.remove(spec, { keep: false });
      await runtime.close();
    });

    test('where Python is missing or broken, or sees only its own, the shell starts everything', async () => {
      const python = '/usr/bin/python3';
      const away = `mv ${python} ${python}.away`;
      const back = `mv -f ${python}.away ${python}`;
      const broken = `printf '#!/bin/sh\nexit 1\n' > ${python}; chmod +x ${python}`;
      const faults = [
        ['root', away, back],
        ['root', `${away}; ${broken}`, back],
        ['ops', 'mount -o remount,hidepid=2 /proc', 'mount -o remount,hidepid=0 /proc'],
      ] as const;
      for (const [user, make, mend] of faults) {
        await bed.sh('n1', make);
        await using link = await sshTo(bed, 'n1', user);
        const runtime = runtimeOver(link, core, 'always');
        const specs = Array.from({ length: 9 }, (_, code) => attemptOf(`exit ${code}`, changes));
        const ends = await Promise.all(specs.map((spec) => runToEnd(runtime, spec)));
        await bed.sh('n1', mend);
        expect(ends).toMatchObject(
          specs.map((_, exitCode) => ({ condition: { kind: 'ended', end: { exitCode } } })),
        );
        const tasks = `~${user}/.kohakuriver/test-machine/tasks`;
        const scripts = specs.map(({ taskId }) => `${tasks}/${taskId}/1/run.sh`).join(' ');
        expect(await bed.sh('n1', `ls ${scripts} | wc -l`)).toBe('9');
        // Nothing of what should have run it waits for anything.
        expect(await bed.sh('n1', 'pgrep -fc "python3 -IS[c]" || true')).toBe('0');
        await Promise.all(specs.map((spec) => runtime.remove(spec, { keep: false })));
        await runtime.close();
      }
    });

    test('a runner passes on the environment it was started in, and nothing of a Python before it', async () => {
      const printed: string[][] = [];
      for (const runner of ['always', undefined] as const) {
        const runtime = runtimeOver(local, core, runner);
        const spec = attemptOf('env', changes);
        await runToEnd(runtime, spec);
        printed.push((await readAll(runtime, spec)).stdout.toString().trim().split('\n').sort());
        await runtime.remove(spec, { keep: false });
        await runtime.close();
      }
      expect(printed[0]).toEqual(printed[1]);
    });
  });
}
