// A stream of packets as few large parts: a promise for each packet would take longer than the packet.
import type { Readable, Writable } from 'node:stream';
import { isDivertible } from '../../link/node-link.ts';
import { PartMemory } from './part-memory.ts';

/** Parts waiting for whoever takes them; then the stream is paused, and the other end waits. */
const mostReady = 4;

/**
 * What a stream gives, gathered for as long as more is there: large parts from a fast way, small ones
 * at once from a slow one. Leaving the loop pauses the stream. The parts lie in `memory`.
 */
export async function* inParts(
  stream: Readable,
  memory = new PartMemory(),
): AsyncGenerator<Buffer> {
  const gathering = new Gathering(stream, memory);
  try {
    for (;;) {
      const part = await gathering.next();
      if (part === undefined) return;
      yield part;
    }
  } finally {
    gathering.stop();
  }
}

class Gathering {
  readonly #stream: Readable;
  readonly #ready: Buffer[] = [];
  readonly #memory: PartMemory;
  #part: Buffer;
  #filled = 0;
  #hasEnded = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #wantMore: () => void = () => undefined;
  #isStopped = false;

  constructor(stream: Readable, memory: PartMemory) {
    this.#stream = stream;
    this.#memory = memory;
    this.#part = memory.take();
    this.#hasEnded = stream.readableEnded;
    stream.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
    stream.on('close', this.#onClose);
    if (isDivertible(stream)) {
      this.#wantMore = stream.divert({ isReady: () => !this.#isStopped, take: this.#take });
    }
    if (stream.closed) this.#onClose();
  }

  /** Undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const part = this.#ready.shift() ?? this.#unfinished();
      if (this.#ready.length < mostReady) {
        this.#stream.resume();
        this.#wantMore();
      }
      if (part !== undefined) return part;
      if (this.#error !== undefined) throw this.#error;
      if (this.#hasEnded) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      // All that has come in by now is read before anybody is told.
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  stop(): void {
    this.#isStopped = true;
    // Errors that come later are heard, and mean nothing any more.
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#stream.pause();
    this.#memory.giveBack(this.#part);
  }

  #unfinished(): Buffer | undefined {
    if (this.#filled === 0) return undefined;
    const part = this.#part.subarray(0, this.#filled);
    this.#memory.share(part);
    this.#part = this.#part.subarray(this.#filled);
    this.#filled = 0;
    return part;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#take(chunk)) this.#stream.pause();
  };

  /** False when there is enough for now. */
  readonly #take = (chunk: Buffer): boolean => {
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.copy(this.#part, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled < this.#part.length) continue;
      this.#ready.push(this.#part);
      this.#part = this.#memory.take();
      this.#filled = 0;
    }
    this.#wake?.();
    return this.#ready.length < mostReady;
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#wake?.();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    // Destroyed without a word: what came is not all there was.
    if (!this.#hasEnded) this.#error ??= new Error('The stream was closed before its end.');
    this.#wake?.();
  };
}

/** Writes a part and resolves when there is room for more; its memory is free once it is taken. Rejects as `broken` does. */
export async function given(
  stream: Writable,
  part: Buffer,
  { broken, memory }: { broken: Promise<never>; memory?: PartMemory | undefined },
): Promise<void> {
  if (stream.write(part, () => memory?.giveBack(part))) return;
  const drained = Promise.withResolvers<undefined>();
  const onDrain = () => drained.resolve(undefined);
  stream.once('drain', onDrain);
  try {
    await Promise.race([drained.promise, broken]);
  } finally {
    stream.off('drain', onDrain);
  }
}
