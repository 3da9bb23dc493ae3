import { RequestError } from '../../contract/errors.ts';

/** How far both log files of a process were read, in bytes. Moves as reading goes on. */
export class LogPosition {
  stdout: number;
  stderr: number;

  private constructor(stdout: number, stderr: number) {
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** Reads what `toString` wrote; null is the start. Throws `input/invalid` for anything else. */
  static parse(text: string | null): LogPosition {
    if (text === null) return new LogPosition(0, 0);
    const match = /^p1 (\d{1,15}) (\d{1,15})$/.exec(text);
    if (match === null) {
      throw new RequestError('input/invalid', 'This is not a position in the log of a process.');
    }
    return new LogPosition(Number(match[1]), Number(match[2]));
  }

  toString(): string {
    return `p1 ${String(this.stdout)} ${String(this.stderr)}`;
  }
}
