import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CoreId } from '../../../src-main/contract/ids.ts';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import {
  systemClock as clock,
  systemTimers as timers,
} from '../../../src-main/link/system-timers.ts';
import { quoteForShell } from '../../../src-main/link/quote.ts';
import { readNodeScript } from '../../../src-main/runtimes/node-scripts.ts';
import { parseRecords, toObserved } from '../../../src-main/runtimes/process/records.ts';
import { createProcessRuntime } from '../../../src-main/runtimes/process/process-runtime.ts';
import { letGoBytes, type AttemptSpec } from '../../../src-main/runtimes/runtime.ts';
import { Testbed } from '../../support/testbed.ts';
import { describeRuntime } from './behaviour.ts';
import { attemptOf, core, launch, never, readAll, runToEnd, seeInLog, sshTo } from './support.ts';

const changes = { vessel: { kind: 'process' } } as const;

function runtimeOver(link: NodeLink, coreId: CoreId = core, runner?: 'always') {
  return createProcessRuntime({
    ...(runner === undefined ? {} : { runner }),
    link,
    coreId,
    machineId: 'test-machine',
    limits: false,
    clock,
    timers,
  });
}

const directoryOf = ({ taskId }: AttemptSpec) => `.kohakuriver/test-machine/tasks/${taskId}/1`;

/** The shell does it where a runner finds that a directory is slow to answer: that is stopped, and it is asked again. */
async function launchByRunner(
  runtime: ReturnType<typeof runtimeOver>,
  text: string,
  homeOfUser: string,
): Promise<AttemptSpec> {
  for (let tries = 1; ; tries += 1) {
    const spec = attemptOf(text, changes);
    await launch(runtime, spec);
    const files = await bed.sh('n1', `ls ${homeOfUser}/${directoryOf(spec)}`);
    if (!files.includes('run.sh')) return spec;
    if (tries === 5) throw new Error('no runner starts it');
    await runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 });
    await runtime.remove(spec, { keep: false });
  }
}

class TooSlow extends Error {}

/** A link over which what starts attempts does not arrive, when it is slow, until it is let: whoever sent it has given it up by then. */
function slowToStart(link: NodeLink) {
  const underWay: (() => ReturnType<NodeLink['runScript']>)[] = [];
  const slow = {
    isSlow: false,
    link: new Proxy(link, {
      get: (target, name: keyof NodeLink) => {
        if (name === 'runScript') return runScript;
        const value: unknown = target[name];
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    }),
    async arrive(): Promise<string> {
      const results = await Promise.all(underWay.splice(0).map((send) => send()));
      return results.map(({ stdout }) => stdout.toString()).join('');
    },
  };
  const runScript: NodeLink['runScript'] = (script, args, options) => {
    const send = () => link.runScript(script, args, options);
    if (!slow.isSlow || script !== readNodeScript('process-launch.sh')) return send();
    underWay.push(send);
    return Promise.reject(new TooSlow());
  };
  return slow;
}

let home: string;
let busyboxHome: string;
let busybox: LocalLink;
let local: LocalLink;
let bed: Testbed;
let ssh: NodeLink;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'runtimes-home-'));
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8' };
  local = new LocalLink({ env, homeDir: home });
  busyboxHome = mkdtempSync(join(tmpdir(), 'runtimes-busybox-'));
  const bin = join(busyboxHome, 'bin');
  mkdirSync(bin);
  execFileSync('busybox', ['--install', '-s', bin]);
  busybox = new LocalLink({ env: { PATH: bin, HOME: busyboxHome }, homeDir: busyboxHome });
  bed = await Testbed.up({
    nodes: 1,
    docker: false,
    registry: false,
    disks: { n1: { '/home': '64M' } },
  });
  ssh = await sshTo(bed, 'n1', 'root');
});

afterAll(async () => {
  await local.close();
  await busybox.close();
  await ssh.close();
  await bed[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
  rmSync(busyboxHome, { recursive: true, force: true });
});

describeRuntime('processes on this computer, started by a runner', () => ({
  changes,
  open: (coreId) => Promise.resolve(runtimeOver(local, coreId, 'always')),
}));

describeRuntime('processes where there is nothing but busybox', () => ({
  changes,
  open: (coreId) => Promise.resolve(runtimeOver(busybox, coreId)),
}));

describeRuntime('processes over SSH', () => ({
  changes,
  open: (coreId) => Promise.resolve(runtimeOver(ssh, coreId)),
}));

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
      const spec = await launchByRunner(runtime, text, '/root');
      found.push(await inodes(spec));
      await runtime.waitForEnd(spec, never);
      const printed = (await readAll(runtime, spec)).stdout.toString();
      if (text !== texts[0]) expect(printed).toBe(text.includes('new') ? 'new\n' : 'sesame-4714\n');
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

  test('what has ended runs until that is recorded, however long a runner has to try', async () => {
    await using link = await sshTo(bed, 'n1', 'ops');
    const [earlier, later] = [runtimeOver(link, core, 'always'), runtimeOver(link)];
    await bed.sh('n1', 'su ops -c "mkfifo /home/ops/go"');
    const spec = await launchByRunner(earlier, 'read -r line < ~/go; exit 5', '/home/ops');
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

  test('a runner starts nothing any more once a later connection of its core has looked', async () => {
    const [earlier, later] = [runtimeOver(ssh, core, 'always'), runtimeOver(ssh)];
    const waits = 'until [ -e /root/end-the-first ]; do sleep 0.1; done; exit 6';
    const first = await launchByRunner(earlier, waits, '/root');
    const second = await launchByRunner(earlier, 'sleep 600', '/root');
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

  test.each(['this computer', 'busybox', 'SSH'])(
    'what a shell was told and hears too late begins nothing: %s',
    async (where) => {
      const link = { 'this computer': local, busybox, SSH: ssh }[where]!;
      const counted = () => attemptOf('echo ran >> "$HOME/runs"', changes);
      const ran = async () =>
        (await link.runScript('cat "$HOME/runs"; rm "$HOME/runs"')).stdout.toString();

      // Given up, and tried again over the same connection.
      const slow = slowToStart(link);
      const runtime = runtimeOver(slow.link);
      const first = counted();
      const beside = counted();
      slow.isSlow = true;
      await expect(launch(runtime, first)).rejects.toThrow(TooSlow);
      slow.isSlow = false;
      await Promise.all([runToEnd(runtime, first), runToEnd(runtime, beside)]);
      for (const spec of [first, beside]) await runtime.remove(spec, { keep: false });
      expect(await ran()).toBe('ran\nran\n');
      expect(await slow.arrive()).toContain(`${first.taskId}/1 refused`);

      // Its link dropped, and a later connection has looked.
      const second = counted();
      slow.isSlow = true;
      await expect(launch(runtime, second)).rejects.toThrow(TooSlow);
      const later = runtimeOver(link);
      expect(await later.inspect(second)).toBeUndefined();
      expect(await slow.arrive()).toContain(`${second.taskId}/1 refused`);
      await runToEnd(later, second);
      await later.remove(second, { keep: false });
      expect(await ran()).toBe('ran\n');
      expect(await later.list()).toEqual([]);
      // The earlier one goes on, where it was not gone after all.
      slow.isSlow = false;
      const third = counted();
      await launch(runtime, third);
      await later.waitForEnd(third, never);
      await later.remove(third, { keep: false });
      expect(await ran()).toBe('ran\n');
      await Promise.all([runtime.close(), later.close()]);
    },
  );

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
    expect((await runToEnd(runtime, meanwhile!)).condition).toMatchObject({ end: { exitCode: 5 } });
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
