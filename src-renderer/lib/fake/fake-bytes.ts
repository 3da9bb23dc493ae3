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
  return bytesReader(async () => encoded(text));
}

export function bytesReader(read: () => Promise<Uint8Array>): ByteReader {
  return reader(async function* () {
    yield await read();
  });
}

/** One JSON document, when the work is done. */
export function answering(work: () => Promise<unknown>): ByteReader {
  return bytesReader(async () => encoded(`${JSON.stringify(await work())}\n`));
}

/** JSON lines as they come. */
export function linesAsTheyCome(values: () => AsyncIterable<unknown>): ByteReader {
  return reader(async function* () {
    for await (const value of values()) yield encoded(`${JSON.stringify(value)}\n`);
  });
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function reader(read: () => AsyncIterable<Uint8Array>): ByteReader {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
      yield* read();
      return undefined;
    },
    async *chunks(): AsyncGenerator<Chunk, undefined> {
      for await (const bytes of read()) yield { bytes, release: () => undefined };
      return undefined;
    },
  };
}
