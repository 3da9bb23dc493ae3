// What the thread's pieces of work have in common.
import { closeSync, constants, openSync } from 'node:fs';
import { localPath } from '../../../link/local/local-path.ts';
import { codeOf } from '../../../link/errors.ts';
import { sha256, startDigest, type RunningDigest } from '../digests.ts';
import type { Answer, Digests, Further, Passed } from './orders.ts';

/** With memory that the thread has no more use for. */
export type Giving = (answer: Answer, own: readonly ArrayBuffer[]) => void;

export interface Work {
  /** Throws what it fails with. */
  take(order: Further): void;
  /** Nobody wants it any more. */
  drop(): void;
}

/** Files worked on before orders are heard. */
export const filesPerTurn = 50;

/** A pipe that somebody put in the place of a file is not waited for. Windows has no such flag, and counts it as 0. */
export function openToRead(path: string): number {
  return openSync(localPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
}

/** For as long as `use` takes. */
export function withFile<T>(file: number, use: (file: number) => T): T {
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** Gathers what became of files until somebody is told. */
export class Passing {
  #content = 0;
  #done: number[] = [];
  #hashes: string[] = [];
  #changed: number[] = [];
  #failed: { at: number; code: string }[] = [];
  readonly #together: RunningDigest | undefined;
  readonly #isEachHashed: boolean;

  constructor(digests: Digests) {
    this.#together = digests.kind === 'together' ? startDigest(digests.digest) : undefined;
    this.#isEachHashed = digests.kind === 'each';
  }

  /** All the bytes of a file went by. */
  done(at: number, bytes: Uint8Array): void {
    this.#done.push(at);
    this.#content += bytes.length;
    this.#together?.update(bytes);
    if (!this.#isEachHashed) return;
    const sum = startDigest(sha256);
    sum.update(bytes);
    this.#hashes.push(sum.finish());
  }

  changed(at: number): void {
    this.#changed.push(at);
  }

  failed(at: number, error: unknown): void {
    this.#failed.push({ at, code: codeOf(error) });
  }

  /** Since the last time. */
  take(): Passed {
    const passed: Passed = {
      content: this.#content,
      done: this.#done,
      hashes: this.#hashes,
      changed: this.#changed,
      failed: this.#failed,
    };
    this.#content = 0;
    [this.#done, this.#hashes, this.#changed, this.#failed] = [[], [], [], []];
    return passed;
  }

  /** Of all of them, where one is made; once. */
  finish(): string | null {
    return this.#together?.finish() ?? null;
  }
}
