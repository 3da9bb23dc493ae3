import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { systemClock as clock } from '../../../src-main/link/system-timers.ts';
import { quoteForShell } from '../../../src-main/link/quote.ts';
import { readNodeScript } from '../../../src-main/runtimes/node-scripts.ts';
import { parseRecords, toObserved } from '../../../src-main/runtimes/process/records.ts';
import { letGoBytes } from '../../../src-main/runtimes/runtime.ts';
import type { Testbed } from '../../support/testbed.ts';
import { describeRuntime } from './behaviour.ts';
import { attemptOf, core, launch, never, readAll, runToEnd, seeInLog, sshTo } from './support.ts';
import { describeForking } from './process/forking.ts';
import { describeLateOrders } from './process/late-orders.ts';
import { describeMany } from './process/many.ts';
import { describeRunner } from './process/runner.ts';
import { beginStage, changes, runtimeOver, type ProcessStage } from './process/stage.ts';

let stage: ProcessStage;
let bed: Testbed;
let ssh: NodeLink;

beforeAll(async () => {
  stage = await beginStage();
  ({ bed, ssh } = stage);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

describeRuntime('processes on this computer, started by a runner', () => ({
  changes,
  open: (coreId) => Promise.resolve(runtimeOver(stage.local, coreId, 'always')),
}));

describeRuntime('processes where there is nothing but busybox', () => ({
  changes,
  open: (coreId) => Promise.resolve(runtimeOver(stage.busybox, coreId)),
}));

describeRuntime('processes over SSH', () => ({
  changes,
  open: (coreId) => Promise.resolve(runtimeOver(ssh, coreId)),
}));

describeRunner(() => stage);
describeLateOrders(() => stage);
describeMany(() => stage);
describeForking(() => stage);

describe('processes on a node', () => {
  test('goes on while the link is gone, and is collected over the next one', async () => {
    const link = await sshTo(bed, 'n1', 'root');
    const runtime = runtimeOver(link);
    const spec = attemptOf('echo one; sleep 2; echo two; exit 9', changes);
    await launch(runtime, spec);
    const first = await seeInLog(runtime, spec, 'one');
    const waiting = runtime.waitForEnd(spec, never);
    await Promise.all([expect(waiting).rejects.toThrow(), link.close()]);
    const later = runtimeOver(ssh);
    expect((await later.waitForEnd(spec, never))?.condition).toMatchObject({
      end: { exitCode: 9 },
    });
    const rest: string[] = [];
    for await (const chunk of later.logs(spec, first.cursor, never)) {
      rest.push(Buffer.from(chunk.bytes).toString());
    }
    expect(rest.join('')).toBe('two\n');
    await later.remove(spec, { keep: false });
    await later.close();
  });

  test('keeps secrets out of the process list and off the disk', async () => {
    const runtime = runtimeOver(ssh);
    const spec = attemptOf('echo "got ${#TOKEN}"; sleep 600', {
      ...changes,
      env: { TOKEN: 'sesame-4711' },
    });
    await launch(runtime, spec);
    await seeInLog(runtime, spec, 'got 11');
    expect(
      await bed.sh('n1', 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c sesame-471[1] || true'),
    ).toBe('0');
    expect(await bed.sh('n1', 'grep -rl sesame-4711 /root/.kohakuriver || true')).toBe('');
    await runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 });
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('an attempt without a process is not taken for one that runs for ever', async () => {
    const runtime = runtimeOver(ssh);
    const spec = attemptOf('true', changes);
    const dir = `/root/.kohakuriver/test-machine/tasks/${spec.taskId}/1`;
    await bed.sh(
      'n1',
      `mkdir -p ${dir}; cd ${dir}; echo core=${core} > meta; echo not yet > pid; echo not yet > exit_code; touch -d '-2 minutes' launched`,
    );
    expect((await runtime.inspect(spec))?.condition).toMatchObject({
      kind: 'ended',
      problem: expect.stringContaining('never ran') as string,
    });
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('what has ended is not taken for running where process 1 waits for nobody', async () => {
    // In a container, say. Its number is there for good.
    const dir = '/root/.kohakuriver/test-machine/tasks/12/1';
    const program = `import os, subprocess, time
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        stat = open('/proc/self/stat').read().rpartition(')')[2].split()
        boot = open('/proc/sys/kernel/random/boot_id').read().strip()
        os.makedirs('${dir}')
        for name, text in (('meta', 'core=${core}'), ('launched', ''), ('exit_code', 'not yet'),
                           ('pid', f'{os.getpid()} {stat[19]} {boot} 1000000')):
            open('${dir}/' + name, 'w').write(text + chr(10))
    os._exit(0)
os.waitpid(-1, 0)
while not [pid for pid in os.listdir('/proc') if pid.isdigit() and pid != '1' and
           ') Z 1 ' in open('/proc/' + pid + '/stat').read()]:
    time.sleep(0.01)
listed = subprocess.Popen(['sh', '/tmp/list.sh', 'test-machine', 'all'], stdout=subprocess.PIPE)
print(listed.communicate()[0].decode())`;
    await bed.sh('n1', 'cat > /tmp/list.sh', { input: readNodeScript('process-list.sh') });
    const output = await bed.sh(
      'n1',
      `unshare -pf --mount-proc python3 -c ${quoteForShell([program])}; rm -r ${dir}`,
    );
    const node = parseRecords(output, clock.now())!;
    const record = node.attempts.find(({ path }) => path === '12/1')!;
    expect(toObserved(record, node)?.condition.kind).toBe('ended');
  });

  test('ends what the work left running', async () => {
    const runtime = runtimeOver(ssh);
    // At once, from a grandchild that nobody waits for, and after more than a moment.
    const texts = ['sleep 4321 & exit 0', '(sleep 4321 &)', 'sleep 1.3; sleep 4321 & exit 0'];
    const specs = texts.map((text) => attemptOf(text, changes));
    const ends = await Promise.all(specs.map((spec) => runToEnd(runtime, spec)));
    for (const { condition } of ends) expect(condition).toMatchObject({ end: { exitCode: 0 } });
    expect(await bed.sh('n1', 'pgrep -fc "sleep 432[1]" || true')).toBe('0');
    for (const spec of specs) await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('says so when the script around the work was killed, and when the node was restarted', async () => {
    const runtime = runtimeOver(ssh);
    const killed = attemptOf('echo up; sleep 600', changes);
    await launch(runtime, killed);
    await seeInLog(runtime, killed, 'up');
    const pidFile = `/root/.kohakuriver/test-machine/tasks/${killed.taskId}/1/pid`;
    await bed.sh('n1', `read -r pid rest < ${pidFile}; kill -9 "$pid"`);
    expect((await runtime.inspect(killed))?.condition.kind).toBe('running');
    expect(await runtime.stop(killed, { signal: 'SIGTERM', graceMs: 5000 })).toEqual({
      delivered: true,
    });
    expect((await runtime.inspect(killed))?.condition).toMatchObject({
      kind: 'ended',
      end: { exitCode: null, signal: null },
      problem: expect.stringContaining('vanished') as string,
    });
    await runtime.remove(killed, { keep: false });

    const spec = attemptOf('echo up; sleep 600', changes);
    await launch(runtime, spec);
    await seeInLog(runtime, spec, 'up');
    await bed.sh(
      'n1',
      `f=/root/.kohakuriver/test-machine/tasks/${spec.taskId}/1/pid; sed -i 's/ [0-9a-f]*-/ 00000000-/' $f`,
    );
    expect((await runtime.inspect(spec))?.condition).toMatchObject({
      kind: 'ended',
      problem: expect.stringContaining('restarted') as string,
    });
    expect(await runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 })).toEqual({
      delivered: false,
    });
    await bed.sh('n1', 'pkill -f "sleep 60[0]"');
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('lets go of what is stored of a large log while it is written, and marks it for who comes later', async () => {
    const runtime = runtimeOver(ssh);
    const text = `head -c ${letGoBytes} /dev/zero; echo err >&2; until [ -e ~/go-on ]; do sleep 0.05; done; echo end`;
    const spec = attemptOf(text, changes);
    await launch(runtime, spec);
    let bytes = 0;
    for await (const chunk of runtime.logs(spec, null, never)) {
      bytes += chunk.bytes.length;
      if (bytes !== letGoBytes + 4) continue;
      await runtime.letGoOfLog?.(spec, chunk.cursor);
      await bed.sh('n1', 'touch ~/go-on');
    }
    expect(bytes).toBe(letGoBytes + 8);
    const directory = `/root/.kohakuriver/test-machine/tasks/${spec.taskId}/1`;
    const [kib] = (await bed.sh('n1', `du -k ${directory}/stdout.log`)).split('\t');
    expect(Number(kib)).toBeLessThan(100);
    const log = await readAll(runtime, spec);
    expect([log.stdout.toString(), log.stderr.toString(), log.gaps]).toEqual(['end\n', '', 2]);
    await runtime.remove(spec, { keep: false });
    await runtime.close();
  });

  test('names a working directory that is not there, and what needs a container', async () => {
    const runtime = runtimeOver(ssh);
    const byRunner = runtimeOver(ssh, core, 'always');
    for (const starting of [runtime, byRunner]) {
      const spec = attemptOf('true', { ...changes, workdir: '/no/such/dir' });
      await expect(launch(starting, spec)).rejects.toMatchObject({ code: 'process/creation' });
      await starting.remove(spec, { keep: false });
    }
    await byRunner.close();
    const mounts = [{ source: '/a', destination: '/b', readOnly: false }];
    await expect(launch(runtime, attemptOf('true', { ...changes, mounts }))).rejects.toMatchObject({
      code: 'process/unsupported',
    });
    await runtime.close();
  });

  test('names a full disk, and still records the exit code of what runs', async () => {
    const link = await sshTo(bed, 'n1', 'ops');
    const runtime = runtimeOver(link);
    const spec = attemptOf('echo up; sleep 3; exit 6', changes);
    await launch(runtime, spec);
    await seeInLog(runtime, spec, 'up');
    await bed.fillDisk('n1', '/home');
    const text = 'x'.repeat(100_000);
    await expect(launch(runtime, attemptOf(text, changes))).rejects.toMatchObject({
      code: 'process/disk-full',
    });
    const byRunner = runtimeOver(link, core, 'always');
    const last = attemptOf('sleep 4324', { ...changes, owner: text });
    await expect(launch(byRunner, last)).rejects.toMatchObject({ code: 'process/disk-full' });
    expect(await byRunner.inspect(last)).toBeUndefined();
    expect(await bed.sh('n1', 'pgrep -fc "sleep 432[4]" || true')).toBe('0');
    expect((await byRunner.waitForEnd(spec, never))?.condition).toMatchObject({
      end: { exitCode: 6 },
    });
    await byRunner.close();
    expect((await readAll(runtime, spec)).stdout.toString()).toBe('up\n');
    await bed.freeDisk('n1', '/home');
    await runtime.remove(spec, { keep: false });
    expect(await runtime.list()).toEqual([]);
    await runtime.close();
    await link.close();
  });
});
