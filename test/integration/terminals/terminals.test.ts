// Terminals of a real core: on this computer, on a node over SSH, in a container.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FrameSource } from '../../../src-main/contract/frame-source.ts';
import { TerminalFrames, type TerminalFrame } from '../../../src-main/contract/terminal-frames.ts';
import { startCore, until, type TestCore } from '../../support/core.ts';
import { TerminalViewer } from '../../support/terminal-viewer.ts';
import { requirements, Testbed } from '../../support/testbed.ts';

const can = await requirements();
const MiB = 2 ** 20;

describe.skipIf(!can.isMet)('terminals', () => {
  let bed: Testbed;
  let core: TestCore;
  let task: string;
  let here: string;

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 1, registry: false, images: ['river/busybox'] });
    core = await startCore({ flags: { 'nodes.offlineAfterSeconds': 5 } });
    here = await until(
      async () => (await core.api.nodes.list()).find((node) => node.state === 'online')?.name,
      'this computer is online',
    );
    const [n1] = bed.nodes;
    await core.api.nodes.add({
      destination: { host: n1!.address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
    task = await core.submit({
      work: { kind: 'command', argv: ['sleep', '100000'] },
      vessel: { kind: 'image', reference: 'river/busybox:1' },
      targets: ['n1'],
      name: 'box',
    });
    await core.reaches(task, ['RUNNING']);
  });
  afterAll(async () => {
    await core?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  const places = () =>
    [
      ['this computer', { kind: 'node', node: here }],
      ['a node', { kind: 'node', node: 'n1' }],
      ['a container', { kind: 'task', task }],
    ] as const;

  test('a shell opens everywhere, has its size, is shared, and says how it ended', async () => {
    for (const [where, target] of places()) {
      const opened = await core.api.terminals.open({ target, size: { columns: 91, rows: 33 } });
      expect(opened, where).toMatchObject({ state: 'open', size: { columns: 91, rows: 33 } });
      await using first = new TerminalViewer(core.client, opened.id);
      first.type('PS1="> "; stty size; echo $((6*7))-héé-😀-漢\r');
      await first.sees(/33 91\n42-héé-😀-漢/);
      await using second = new TerminalViewer(core.client, opened.id);
      await second.sees(/33 91\n42-héé-😀-漢/);
      second.resize(100, 30);
      // What is typed may overtake the new size, which goes to Docker by a call of its own.
      await until(async () => {
        second.type('stty size\r');
        return first.sees(/30 100/, 500).then(
          () => true,
          () => false,
        );
      }, 'the new size');
      expect(first.screen.cols).toBe(100);
      await until(async () => {
        const [view] = await core.api.terminals.list();
        return view?.viewers === 2 && view.size.columns === 100;
      }, 'two viewers');
      first.type('exit 7\r');
      expect(await second.ended()).toEqual({ exitCode: 7, signal: null, reason: null });
      await core.api.terminals.close({ terminal: opened.id });
      expect(await core.api.terminals.list()).toEqual([]);
    }
  });

  test('100 MiB come through byte for byte, to a slow reader as well, and memory stays bounded', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kohakuriver-bytes-'));
    const bytes = Buffer.alloc(100 * MiB);
    // Bytes of every kind but the two that a terminal's line discipline changes.
    for (let at = 0, seed = 1; at < bytes.length; at += 1) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      const value = (seed >> 16) & 0xff;
      bytes[at] = value === 0x0a || value === 0x0d ? 0x20 : value;
    }
    const file = join(dir, 'bytes');
    await writeFile(file, bytes);
    const wanted = createHash('sha256').update(bytes).digest('hex');
    const before = process.memoryUsage().rss;
    let peak = 0;
    const hash = createHash('sha256');
    let received = 0;
    const frames = new TerminalFrames();
    const stream = core.client.openStream('terminals.exec', {
      target: { kind: 'node', node: here },
      command: ['sh', '-c', 'stty raw -echo; cat "$1"', 'sh', file],
      size: { columns: 80, rows: 24 },
    });
    for await (const chunk of stream) {
      for (const frame of frames.push(chunk)) {
        if (frame.kind !== 'data') continue;
        hash.update(frame.bytes);
        received += frame.bytes.byteLength;
      }
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect(received).toBe(bytes.length);
    expect(hash.digest('hex')).toBe(wanted);
    expect((peak - before) / MiB).toBeLessThan(150);

    const opened = await core.api.terminals.open({ target: { kind: 'node', node: here } });
    const shown = createHash('sha256');
    let shownBytes = 0;
    const start = 'STARTS-HERE';
    let isCounting = false;
    await using viewer = new TerminalViewer(core.client, opened.id, {
      draws: false,
      onData: async (data) => {
        let rest = Buffer.from(data);
        if (!isCounting) {
          const at = rest.lastIndexOf(`${start}\n`);
          if (at < 0) return;
          isCounting = true;
          rest = rest.subarray(at + start.length + 1);
        }
        const wantedNow = rest.subarray(0, 4 * MiB - shownBytes);
        shown.update(wantedNow);
        shownBytes += wantedNow.length;
        // Slower than the program for a while: it has to wait, nothing may be dropped.
        if (shownBytes < MiB) await new Promise((resolve) => setTimeout(resolve, 20));
      },
    });
    viewer.type(
      `stty raw -echo; echo ${start.slice(0, 3)}''${start.slice(3)}; head -c ${4 * MiB} ${file}\r`,
    );
    await until(() => shownBytes === 4 * MiB, 'all of it was shown');
    expect(shown.digest('hex')).toBe(
      createHash('sha256')
        .update(bytes.subarray(0, 4 * MiB))
        .digest('hex'),
    );
    expect((process.memoryUsage().rss - before) / MiB).toBeLessThan(250);
    await core.api.terminals.close({ terminal: opened.id });
    await rm(dir, { recursive: true });
  });

  test('a key reaches the program while it floods, and everything stops', async () => {
    for (const [where, target] of places()) {
      const opened = await core.api.terminals.open({ target });
      await using viewer = new TerminalViewer(core.client, opened.id);
      viewer.type('yes\r');
      await viewer.sees(/y\ny\ny/);
      viewer.type('\u0003');
      viewer.type('echo stop"ped"\r');
      await viewer.sees(/stopped/);
      expect(where).not.toBe('');
      await core.api.terminals.close({ terminal: opened.id });
    }
  });

  test('a storm of sizes ends with the last one, everywhere the same', async () => {
    for (const [, target] of places()) {
      const opened = await core.api.terminals.open({ target });
      await using viewer = new TerminalViewer(core.client, opened.id);
      for (let turn = 0; turn < 200; turn += 1) viewer.resize(40 + (turn % 100), 10 + (turn % 30));
      viewer.resize(77, 22);
      await until(() => viewer.screen.cols === 77, 'the last size');
      await until(async () => {
        viewer.type('stty size\r');
        await new Promise((resolve) => setTimeout(resolve, 200));
        return /22 77\n[^\n]*$/.test(viewer.text());
      }, 'the program has the last size');
      await core.api.terminals.close({ terminal: opened.id });
    }
  });

  test('one who does not look is not waited for, and sees the screen as it is when they look again', async () => {
    const opened = await core.api.terminals.open({ target: { kind: 'node', node: 'n1' } });
    const { promise: gate, resolve: open } = Promise.withResolvers<undefined>();
    await using sleeper = new TerminalViewer(core.client, opened.id, {
      onData: () => gate,
    });
    await until(() => sleeper.snapshots === 1, 'a first look');
    sleeper.setWatching(false);
    await using awake = new TerminalViewer(core.client, opened.id);
    awake.type('seq 1 600000; echo do"ne"\r');
    await awake.sees(/done/);
    open(undefined);
    await sleeper.sees(/done/);
    expect(sleeper.snapshots).toBeGreaterThan(1);
    expect(sleeper.text().split('\n').slice(-3)).toEqual(awake.text().split('\n').slice(-3));
    await core.api.terminals.close({ terminal: opened.id });
  });

  test('programs run without a session: exit codes, both streams, input', async () => {
    const run = async (command: string[], input?: string) => {
      const source = new FrameSource();
      const frames = new TerminalFrames();
      const got: TerminalFrame[] = [];
      const stream = core.client.openStream(
        'terminals.exec',
        { target: { kind: 'task', task }, command, stdin: input !== undefined },
        { upload: source },
      );
      if (input !== undefined) {
        source.send({ kind: 'input', bytes: Buffer.from(input) });
        source.send({ kind: 'eof' });
      }
      for await (const chunk of stream) got.push(...frames.push(chunk));
      const text = (kind: 'data' | 'stderr') =>
        Buffer.concat(got.flatMap((f) => (f.kind === kind ? [f.bytes] : []))).toString();
      const end = got.find((f) => f.kind === 'ended');
      return { out: text('data'), err: text('stderr'), code: end?.end.exitCode };
    };
    expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      out: 'out\n',
      err: 'err\n',
      code: 3,
    });
    expect(await run(['wc', '-c'], 'x'.repeat(300_000))).toEqual({
      out: '300000\n',
      err: '',
      code: 0,
    });
    // Engines before 28 say so on the terminal and with an exit code, as docker exec does.
    expect(await run(['no-such-program'])).toMatchObject({ code: 126 });
  });

  test('what cannot be gone into says why', async () => {
    const open = (target: Parameters<typeof core.api.terminals.open>[0]['target']) =>
      core.api.terminals.open({ target });
    await expect(open({ kind: 'node', node: 'nowhere' })).rejects.toMatchObject({
      code: 'not-found/node',
    });
    const done = await core.submit({
      work: { kind: 'command', argv: ['true'] },
      vessel: { kind: 'image', reference: 'river/busybox:1' },
      targets: ['n1'],
    });
    await core.reaches(done);
    await expect(open({ kind: 'task', task: done })).rejects.toMatchObject({
      code: 'terminal/unavailable',
    });
    await expect(
      open({ kind: 'container', node: 'n1', container: 'kohakuriver-env-none' }),
    ).rejects.toMatchObject({ code: 'docker/container-not-found' });
  });

  test('after a lost link it says so, ends what nobody can reach any more, and a new one opens', async () => {
    const opened = await core.api.terminals.open({ target: { kind: 'task', task } });
    await using viewer = new TerminalViewer(core.client, opened.id);
    viewer.type('sleep 54321 & echo rea"dy"\r');
    await viewer.sees(/ready/);
    await bed.cutLink('n1');
    const end = await viewer.ended();
    expect(end.reason).toContain('lost');
    await bed.healLink('n1');
    await core.api.nodes.reconnect({ node: 'n1' });
    await core.nodeIs('n1', 'online');
    await core.reaches(task, ['RUNNING']);
    const next = await core.api.terminals.open({ target: { kind: 'task', task } });
    await using again = new TerminalViewer(core.client, next.id);
    await until(async () => {
      again.type('clear; ps | grep -c "[s]leep 54321"\r');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return /^0$/m.test(again.text());
    }, 'the lost shell and what ran in it are gone');
    await core.api.terminals.close({ terminal: next.id });
  });
});
