import { PassThrough } from 'node:stream';
import type { RemoteProcess } from '../../../../src-main/link/node-link.ts';
import type { RunnerOrder } from '../../../../src-main/runtimes/process/runner.ts';

/** A runner that says what the test says. */
export class Program implements RemoteProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly ended = new Promise<never>(() => undefined);
  isLetGo = false;
  /** What ending it comes to; on a node that answers nothing, an error. */
  letGo = () => Promise.resolve();
  asked: string[] = [];

  constructor() {
    this.stdin.setEncoding('utf8').on('data', (text: string) => {
      const lines = text.trim().split('\n');
      this.asked.push(...lines.map((line) => (JSON.parse(line) as RunnerOrder).path));
    });
  }

  resize(): void {
    // It has no terminal.
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isLetGo = true;
    return this.letGo();
  }
}
