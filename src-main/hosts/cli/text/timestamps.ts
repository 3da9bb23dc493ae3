import type { LogRecord } from '../copy-log.ts';
import { bytesOf } from '../copy-log.ts';

const newline = 0x0a;

/** Puts the time of a record before each line that begins in it; lines are counted for each stream. */
export class LineTimes {
  readonly #isInLine = { stdout: false, stderr: false };

  stamp(record: LogRecord): Uint8Array {
    const bytes = bytesOf(record);
    if (!('base64' in record)) return bytes;
    const prefix = Buffer.from(`${record.time} `);
    const parts: Uint8Array[] = [];
    let start = 0;
    while (start < bytes.byteLength) {
      const found = bytes.indexOf(newline, start);
      const end = found === -1 ? bytes.byteLength : found + 1;
      if (!this.#isInLine[record.stream]) parts.push(prefix);
      parts.push(bytes.subarray(start, end));
      this.#isInLine[record.stream] = found === -1;
      start = end;
    }
    return Buffer.concat(parts);
  }
}
