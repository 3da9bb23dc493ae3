// Log output that looks like training: progress, colours, a warning now and then.
import type { ByteReader, Chunk } from '../client.ts';
import type { StreamInput } from '../../../src-main/contract/procedures.ts';
import type { TaskView } from '../../../src-main/contract/task.ts';

const encoder = new TextEncoder();

function outLine(n: number): string {
  if (n === 0)
    return '\u001b[1mLoading checkpoint shards\u001b[0m: 100%|██████████| 4/4 [00:08<00:00,  2.1s/it]';
  if (n % 23 === 5)
    return `\u001b[33mWARNING\u001b[0m gradient norm ${(3 + (n % 7) / 3).toFixed(2)} clipped to 1.0`;
  if (n % 50 === 49)
    return `\u001b[36mcheckpoint\u001b[0m saved to /data/runs/step-${n * 10} (13.5 GiB)`;
  const loss = 2.4 * Math.exp(-n / 300) + 0.9;
  return `step ${String(n * 10).padStart(6)}  loss \u001b[32m${loss.toFixed(4)}\u001b[0m  lr 1.98e-05  ${(812 + (n % 13)).toFixed(0)} tok/s/GPU  mem 61.2 GiB`;
}

function errLine(n: number): string {
  return `[rank0]: /opt/conda/lib/python3.11/site-packages/torch/utils/data.py:${120 + n}: UserWarning: worker ${n % 8} is slow`;
}

function record(stream: string, offset: number, text: string): string {
  const base64 = btoa(String.fromCharCode(...encoder.encode(`${text}\n`)));
  return JSON.stringify({
    stream,
    offset,
    time: new Date(1_772_000_000_000 + offset * 1000).toISOString(),
    base64,
  });
}

/** Opens the log of a task; goes on printing while it runs and is followed. */
export function fakeLog(
  task: TaskView,
  input: StreamInput<'tasks.readLog'>,
  signal: AbortSignal,
): ByteReader {
  const lines = task.stdoutBytes === 0 ? 0 : 400;
  const asRecords = input.format === 'records';
  const write = (n: number): string => {
    const isErr = input.stream === 'stderr' || (input.stream === 'both' && n % 40 === 7);
    const text = isErr ? errLine(n) : outLine(n);
    return asRecords ? `${record(isErr ? 'stderr' : 'stdout', n * 80, text)}\n` : `${text}\n`;
  };
  async function* bytes(): AsyncGenerator<Uint8Array, undefined> {
    yield encoder.encode(Array.from({ length: lines }, (_, n) => write(n)).join(''));
    if (input.follow !== true || task.status !== 'RUNNING') return;
    for (let n = lines; !signal.aborted; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      yield encoder.encode(write(n));
    }
  }
  async function* chunks(): AsyncGenerator<Chunk, undefined> {
    for await (const each of bytes()) yield { bytes: each, release: () => undefined };
  }
  return { [Symbol.asyncIterator]: bytes, chunks };
}
