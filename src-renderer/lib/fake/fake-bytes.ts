/* eslint-disable @typescript-eslint/require-await -- every call of the contract is asynchronous, whether or not this one waits */
// Byte streams of the fake core.
import type { ByteReader, Chunk } from '../client.ts';

export async function textOf(upload: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of upload ?? []) text += decoder.decode(part, { stream: true });
  return text;
}

/** A stream of JSON lines. */
export function lines(values: readonly unknown[]): ByteReader {
  return bytesOf(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

export function bytesOf(text: string): ByteReader {
  return reader(async () => text);
}

/** One JSON document, when the work is done. */
export function answering(work: () => Promise<unknown>): ByteReader {
  return reader(async () => `${JSON.stringify(await work())}\n`);
}

function reader(read: () => Promise<string>): ByteReader {
  const encoder = new TextEncoder();
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
      yield encoder.encode(await read());
      return undefined;
    },
    async *chunks(): AsyncGenerator<Chunk, undefined> {
      yield { bytes: encoder.encode(await read()), release: () => undefined };
      return undefined;
    },
  };
}
