// How fast a task's log is stored and read back: 400 MB of random bytes in 64 KiB chunks, then many
// small lines. Memory is what the process grew by.
// Run: node test/bench/logs.ts [directory]
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskId } from '../../src-main/contract/ids.ts';
import { LogStore, type LogQuery } from '../../src-main/store/logs/log-store.ts';

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'kohakuriver-logs-'));
const logs = new LogStore(directory);
const taskId = '7100000000000000001' as TaskId;
const mebibyte = 2 ** 20;

async function timed(what: string, bytes: number, action: () => Promise<unknown>): Promise<void> {
  const rss = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await action();
  const ms = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000;
  const grown = (process.memoryUsage().rss - rss) / mebibyte;
  console.log(
    `${what}: ${ms.toFixed(0)} ms, ${(bytes / mebibyte / (ms / 1000)).toFixed(0)} MiB/s, ${cpuMs.toFixed(0)} ms of CPU, memory +${grown.toFixed(0)} MiB`,
  );
}

async function hashOf(query: LogQuery): Promise<string> {
  const hash = createHash('sha1');
  for await (const entry of logs.read(query)) if (entry.kind === 'bytes') hash.update(entry.bytes);
  return hash.digest('hex');
}

const total = 400 * mebibyte;
const chunks = Array.from({ length: 64 }, () => randomBytes(65_536));
const expected = createHash('sha1');
const writer = await logs.openWriter(taskId, 1);
await timed('write 64 KiB chunks', total, async () => {
  for (let n = 0; n < total / 65_536; n += 1) {
    const bytes = chunks[n % 64] ?? Buffer.alloc(0);
    await writer.append({ stream: 'stdout', bytes, timeNs: BigInt(n), cursor: `1700000000.${n}` });
  }
  await writer.flush();
});
await timed('sync', 0, () => writer.sync());
for (let n = 0; n < total / 65_536; n += 1) expected.update(chunks[n % 64] ?? '');
let read = '';
await timed(
  'read all (with SHA-1)',
  total,
  async () => (read = await hashOf({ taskId, attempt: 1, stream: 'stdout' })),
);
console.log('equal:', read === expected.digest('hex'));
await timed(
  'read the last 100 lines',
  0,
  async () => await hashOf({ taskId, attempt: 1, stream: 'stdout', tailLines: 100 }),
);
await timed(
  'read from an offset',
  0,
  async () => await hashOf({ taskId, attempt: 1, stream: 'stdout', fromOffset: total - 1000 }),
);
await writer.close();
await timed('open again', 0, async () => (await logs.openWriter(taskId, 1)).close());

const lines = 500_000;
const line = Buffer.from('epoch 17 step 123456 loss 0.123456 lr 0.0003 12.3 it/s\n');
const small = await logs.openWriter(taskId, 2);
await timed(`write ${lines} lines one by one`, lines * line.length, async () => {
  for (let n = 0; n < lines; n += 1) {
    await small.append({
      stream: 'stdout',
      bytes: line,
      timeNs: BigInt(n),
      cursor: `1700000000.${n}`,
    });
  }
  await small.flush();
});
await timed(
  'read them',
  lines * line.length,
  async () => await hashOf({ taskId, attempt: 2, stream: 'stdout' }),
);
await small.close();
rmSync(directory, { recursive: true });
