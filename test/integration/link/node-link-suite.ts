// What every NodeLink promises; run over SSH and over this computer.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeLink } from '../../../src-main/link/node-link.ts';

async function textOf(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString();
}

export function describeNodeLink(name: string, open: () => Promise<NodeLink>): void {
  describe(`a NodeLink: ${name}`, () => {
    let link: NodeLink;
    let dir: string;
    beforeAll(async () => {
      link = await open();
      dir = await mkdtemp(join(tmpdir(), 'link-suite-'));
    });
    afterAll(async () => {
      await link.close();
      await rm(dir, { recursive: true, force: true });
    });

    describe('run', () => {
      test('passes arguments as they are, whatever is in them', async () => {
        const words = ['a  b', "it's", '$HOME `id` "x" \\n', '*', '', '-n', 'ünï\ncödé'];
        const result = await link.run(['printf', '%s\\0', ...words]);
        expect(result.stdout.toString()).toBe(words.map((word) => `${word}\0`).join(''));
        expect(result).toMatchObject({ exitCode: 0, isTruncated: false });
      });

      test('keeps the two streams apart and tells the exit code', async () => {
        const result = await link.run(['sh', '-c', 'echo out; echo err >&2; exit 7']);
        expect([result.stdout.toString(), result.stderr.toString(), result.exitCode]).toEqual([
          'out\n',
          'err\n',
          7,
        ]);
      });

      test('gives input and output back byte for byte', async () => {
        const small = randomBytes(5_000);
        expect((await link.run(['cat'], { stdin: small })).stdout.equals(small)).toBe(true);
        const large = randomBytes(3_000_000);
        expect((await link.run(['cat'], { stdin: large })).stdout.equals(large)).toBe(true);
        const toStderr = await link.run(['sh', '-c', 'cat >&2'], { stdin: small });
        expect(toStderr.stderr.equals(small)).toBe(true);
      });

      test('ends input at once when none is given', async () => {
        expect((await link.run(['cat'])).stdout.length).toBe(0);
      });

      test('sets variables and the directory', async () => {
        const result = await link.run(['sh', '-c', 'printf "%s|%s" "$A" "$(pwd)"'], {
          env: { A: "x 'y' $z" },
          cwd: dir,
        });
        expect(result.stdout.toString()).toBe(`x 'y' $z|${dir}`);
      });

      test('cuts output at the limit and says so', async () => {
        const result = await link.run(['sh', '-c', 'head -c 100000 /dev/zero'], {
          maxOutputBytes: 1_000,
        });
        expect([result.stdout.length, result.isTruncated, result.exitCode]).toEqual([
          1_000,
          true,
          0,
        ]);
      });

      test('reports a program that is not there as exit code 127', async () => {
        expect((await link.run(['no-such-program-here'])).exitCode).toBe(127);
      });

      test('a time limit ends the wait and the command, and harms nobody else', async () => {
        const slow = link.run(['sh', '-c', 'sleep 1.731; sleep 1.732'], { timeoutMs: 200 });
        const others = Promise.all(Array.from({ length: 5 }, () => link.run(['echo', 'ok'])));
        await expect(slow).rejects.toMatchObject({ code: 'link/command-timeout' });
        expect((await others).map((result) => result.stdout.toString())).toEqual(
          Array.from({ length: 5 }, () => 'ok\n'),
        );
        expect((await link.run(['echo', 'after'])).stdout.toString()).toBe('after\n');
        await delay(300);
        const found = await link.runScript('ps -eo args | grep -c "^sleep 1.73[12]"');
        expect(found.stdout.toString().trim()).toBe('0');
      });

      test('an aborted signal rejects with its reason', async () => {
        const abort = new AbortController();
        const running = link.run(['sleep', '5'], { signal: abort.signal });
        setTimeout(() => abort.abort(new Error('enough')), 50);
        await expect(running).rejects.toThrow('enough');
        await expect(link.run(['true'], { signal: abort.signal })).rejects.toThrow('enough');
      });

      test('one slow command does not hold up the others', async () => {
        const slow = link.run(['sleep', '3']);
        const started = performance.now();
        for (let count = 0; count < 10; count++) await link.run(['true']);
        expect(performance.now() - started).toBeLessThan(1_500);
        expect((await slow).exitCode).toBe(0);
      });

      test('many at once all get their own answer', async () => {
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, index) => link.run(['echo', String(index)])),
        );
        expect(results.map((result) => Number(result.stdout.toString()))).toEqual(
          Array.from({ length: 50 }, (_, index) => index),
        );
      });

      test('refuses what cannot be a command', async () => {
        const attempt = async () => link.run(['echo', 'a\0b']);
        await expect(attempt()).rejects.toThrow();
      });
    });

    describe('runScript', () => {
      test('gives arguments as $1… and leaves nothing behind', async () => {
        const script = 'X=changed; cd /; set -e; for a; do echo "<$a>"; done; exit 4';
        const result = await link.runScript(script, ['one two', "it's"]);
        expect([result.stdout.toString(), result.exitCode]).toEqual(["<one two>\n<it's>\n", 4]);
        const after = await link.runScript('false; echo "[$X]"');
        expect(after.stdout.toString()).toBe('[]\n');
      });

      test('a syntax error is that script’s failure only', async () => {
        expect((await link.runScript('if then "')).exitCode).not.toBe(0);
        expect((await link.runScript('echo fine')).stdout.toString()).toBe('fine\n');
      });

      test('a long script with every kind of quote arrives whole', async () => {
        const lines = Array.from({ length: 2_000 }, (_, i) => `x='${i} "\\'; # it"s`);
        const result = await link.runScript(`${lines.join('\n')}\necho "$x"`);
        expect(result.stdout.toString()).toBe('1999 "\\\n');
      });

      test('reads its input', async () => {
        const result = await link.runScript('read -r line; echo "got $line"; wc -c', [], {
          stdin: 'first\nrest',
        });
        expect(result.stdout.toString().replace(/ +/g, ' ').trim()).toMatch(/^got first\n ?4$/);
      });
    });

    describe('spawn', () => {
      test('streams both ways and tells how it ended', async () => {
        const process = await link.spawn(['sh', '-c', 'cat; echo "$A" >&2; exit 3'], {
          env: { A: 'variable' },
        });
        process.stdin.end('hello');
        const [out, err, ended] = await Promise.all([
          textOf(process.stdout),
          textOf(process.stderr),
          process.ended,
        ]);
        expect([out, err, ended]).toEqual(['hello', 'variable\n', { exitCode: 3, signal: null }]);
      });

      test('end stops it and what it started', async () => {
        const process = await link.spawn(['sh', '-c', 'sleep 61.5 & echo up; wait']);
        process.stderr.resume();
        await new Promise((resolve) => process.stdout.once('data', resolve));
        process.stdout.resume();
        await process.end();
        const { exitCode, signal } = await process.ended;
        expect(signal === 'SIGTERM' || exitCode === 143).toBe(true);
        const found = await link.runScript('ps -eo args | grep -c "^sleep 61.5"');
        expect(found.stdout.toString().trim()).toBe('0');
      });

      test('left while it still talks, its end is seen all the same', async () => {
        const process = await link.spawn(['yes']);
        process.stderr.resume();
        await new Promise((resolve) => process.stdout.once('data', resolve));
        process.stdout.pause();
        await process[Symbol.asyncDispose]();
        const { exitCode, signal } = await process.ended;
        expect(signal === 'SIGKILL' || exitCode === 137).toBe(true);
      });

      test('what does not end when its signal aborts is killed, and its output ends', async () => {
        const abort = new AbortController();
        const text = 'trap "" TERM; echo up; while :; do sleep 0.1; done';
        const process = await link.spawn(['sh', '-c', text], { signal: abort.signal });
        process.stdin.on('error', () => undefined);
        const reading = (async () => {
          for await (const chunk of process.stdout as AsyncIterable<Buffer>)
            if (chunk.includes('up')) abort.abort(new Error('enough'));
        })();
        await expect(reading).rejects.toThrow('enough');
        const { exitCode, signal } = await process.ended;
        expect(signal === 'SIGKILL' || exitCode === 137).toBe(true);
      });

      test('on a terminal it has a size, which can change', async () => {
        const process = await link.spawn(
          ['sh', '-c', 'stty size; read -r x; stty size; echo "$x $TERM"'],
          { pty: { columns: 91, rows: 33, term: 'xterm-256color' } },
        );
        let output = '';
        process.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        process.stderr.resume();
        await expect.poll(() => output).toContain('33 91');
        process.resize(120, 40);
        await delay(100);
        process.stdin.write('go\n');
        await process.ended;
        expect(output).toContain('40 120');
        expect(output).toContain('go xterm-256color');
      });
    });

    test('shell gives the login shell on a terminal', async () => {
      const shell = await link.shell({ columns: 80, rows: 24, term: 'xterm' });
      let output = '';
      shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      shell.stderr.resume();
      shell.stdin.write('echo sum=$((40+2)); exit\n');
      await shell.ended;
      expect(output).toContain('sum=42');
    });

    describe('files', () => {
      test('writes, reads, lists, renames and removes', async () => {
        const files = await link.files();
        const path = join(dir, 'a.bin');
        const bytes = randomBytes(700_000);
        await files.writeFileAtomically(path, bytes, 0o640);
        expect((await files.readFile(path)).equals(bytes)).toBe(true);
        expect((await files.readFile(path, 10)).equals(bytes.subarray(0, 10))).toBe(true);
        expect(await files.stat(path)).toMatchObject({ kind: 'file', size: 700_000, mode: 0o640 });
        await files.writeFileAtomically(path, Buffer.from('new'));
        await files.makeDirectory(join(dir, 'sub'));
        expect((await files.list(dir)).map(({ name, kind }) => `${kind} ${name}`).sort()).toEqual([
          'directory sub',
          'file a.bin',
        ]);
        await files.rename(path, join(dir, 'sub', 'b'));
        await files.remove(join(dir, 'sub', 'b'));
        await files.removeDirectory(join(dir, 'sub'));
        expect(await files.list(dir)).toEqual([]);
        expect((await files.diskUse(dir))?.freeBytes).toBeGreaterThan(0);
      });

      test('reads and writes at positions', async () => {
        const files = await link.files();
        const path = join(dir, 'positions');
        await using file = await files.open(path, 'w');
        await file.write(4, Buffer.from('efgh'));
        await file.write(0, Buffer.from('abcd'));
        await file.sync();
        expect((await file.stat()).size).toBe(8);
        await using reader = await files.open(path, 'r');
        expect((await reader.read(2, 4)).toString()).toBe('cdef');
        expect((await reader.read(8, 4)).length).toBe(0);
        await files.remove(path);
      });

      test('names what is wrong', async () => {
        const files = await link.files();
        const missing = join(dir, 'missing');
        expect(await files.stat(missing)).toBeUndefined();
        const code = (code: string) => ({ code });
        await expect(files.readFile(missing)).rejects.toMatchObject(code('link/file-not-found'));
        await files.makeDirectory(join(dir, 'd'));
        await expect(files.makeDirectory(join(dir, 'd'))).rejects.toMatchObject(
          code('link/file-exists'),
        );
        await (await files.open(join(dir, 'x'), 'wx'))[Symbol.asyncDispose]();
        await expect(files.open(join(dir, 'x'), 'wx')).rejects.toMatchObject(
          code('link/file-exists'),
        );
        await files.remove(join(dir, 'x'));
        await files.removeDirectory(join(dir, 'd'));
      });
    });

    describe('sockets', () => {
      let server: Server;
      beforeAll(async () => {
        server = createServer((socket) => {
          socket.on('error', () => socket.destroy());
          socket.pipe(socket);
        });
        await new Promise<void>((resolve) => server.listen(join(dir, 'echo.sock'), resolve));
      });
      afterAll(() => void server.close());

      test('dialSocket carries bytes both ways and half-closes', async () => {
        const stream = await link.dialSocket(join(dir, 'echo.sock'));
        const bytes = randomBytes(5_000_000);
        stream.end(bytes);
        expect(Buffer.concat(await stream.toArray()).equals(bytes)).toBe(true);
      });

      test('a socket that is not there is a refused channel', async () => {
        await expect(link.dialSocket(join(dir, 'none.sock'))).rejects.toMatchObject({
          code: 'link/channel-refused',
        });
      });

      test('listenTcp and dialTcp meet', async () => {
        let from: { host: string; port: number } | undefined;
        const listener = await link.listenTcp('127.0.0.1', 0, (stream, peer) => {
          from = peer;
          stream.pipe(stream);
        });
        const stream = await link.dialTcp('127.0.0.1', listener.port);
        stream.end('there and back');
        expect(Buffer.concat(await stream.toArray()).toString()).toBe('there and back');
        expect(from?.port).toBeGreaterThan(0);
        await listener[Symbol.asyncDispose]();
        await expect(link.dialTcp('127.0.0.1', listener.port)).rejects.toMatchObject({
          code: 'link/channel-refused',
        });
      });

      test('dialTcp reaches what listens there', async () => {
        const tcp = createServer((socket) => socket.end('hello'));
        await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
        const stream = await link.dialTcp('127.0.0.1', (tcp.address() as AddressInfo).port);
        expect(await textOf(stream)).toBe('hello');
        tcp.close();
      });
    });

    test('answers a ping', async () => {
      expect(await link.ping(5_000)).toBeLessThan(1_000);
    });

    test('close is announced once and ends everything', async () => {
      const own = await open();
      let announced = 0;
      own.onDidClose(() => announced++);
      await own.run(['true']);
      await own.close();
      await own.close();
      expect([announced, own.isOpen]).toEqual([1, false]);
      await expect((async () => own.run(['true']))()).rejects.toMatchObject({ code: 'link/lost' });
      await expect((async () => own.dialTcp('127.0.0.1', 1))()).rejects.toMatchObject({
        code: 'link/lost',
      });
    });
  });
}
