import type { RemoteProcess } from '../../link/node-link.ts';

/** Of either stream; a script of ours says less, and whoever says more is not heard. */
const mostHeard = 16 * 1024;

/** What a script says, line by line as it is asked for, and what it complains of. */
export class Lines {
  complaint = '';
  readonly #lines: string[] = [];
  #rest = '';
  #heard = 0;
  #isOver = false;
  #wake: (() => void) | undefined;
  /** Rejects with a LinkError when the link drops; never resolves. */
  readonly lost: Promise<never>;

  constructor({ stdout, stderr, ended }: RemoteProcess) {
    stdout.on('data', (bytes: Buffer) => this.#hear(bytes));
    stdout.resume();
    for (const event of ['end', 'close', 'error']) stdout.on(event, () => this.#end());
    stderr.on('error', () => undefined);
    stderr.on('data', (bytes: Buffer) => {
      if (this.complaint.length < mostHeard) this.complaint += bytes.toString('latin1');
    });
    this.lost = ended.then(() => new Promise<never>(() => undefined));
    this.lost.catch(() => undefined);
  }

  /** Undefined when there are no more. Rejects with a LinkError when the link drops first. */
  async next(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#isOver) {
      const more = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([more, this.lost]);
    }
    return this.#lines.shift();
  }

  #hear(bytes: Buffer): void {
    this.#heard += bytes.length;
    if (this.#heard > mostHeard) return;
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines);
    this.#wake?.();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake?.();
  }
}
