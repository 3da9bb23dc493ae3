// The Engine's log stream, taken apart: frames of 8 bytes of header and a payload that begins with
// the message's time (API: ContainerLogs with timestamps, ContainerAttach «Stream format»).
import { DockerConnectionError } from './errors.ts';

/** One message as the log driver kept it: a line with its end, or a piece of a long one. */
export interface LogMessage {
  readonly stream: 'stdout' | 'stderr';
  readonly timeNs: bigint;
  /** Shares memory with the chunk it came in. */
  readonly bytes: Buffer;
}

const headerBytes = 8;
/** Drivers cut messages at 16 KiB; a frame far above that is not from an Engine. */
const longestFrameBytes = 1024 * 1024;
const newline = 0x0a;
const space = 0x20;

/** Cuts a byte stream into messages, whatever its chunks are. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages completed by these bytes. Throws for what is not the Engine's format. */
  push(chunk: Buffer): LogMessage[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: LogMessage[] = [];
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const end = at + headerBytes + frameLength(bytes, at);
      if (bytes.length < end) break;
      messages.push(readMessage(streamOf(bytes[at]), bytes.subarray(at + headerBytes, end)));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }
}

function frameLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at + 4);
  if (length > longestFrameBytes) throw malformed('a frame is too long');
  return length;
}

function streamOf(type: number | undefined): 'stdout' | 'stderr' {
  if (type === 1) return 'stdout';
  if (type === 2) return 'stderr';
  throw malformed('a frame is of no known stream');
}

function readMessage(stream: 'stdout' | 'stderr', payload: Buffer): LogMessage {
  // RFC 3339 with nanoseconds is at most 35 characters.
  const end = payload.subarray(0, 40).indexOf(space);
  if (end < 0) throw malformed('a message has no time');
  const timeNs = parseTime(payload.toString('latin1', 0, end));
  return { stream, timeNs, bytes: payload.subarray(end + 1) };
}

/** Whether the message ends its line: a later one of the same stream then has a time of its own. */
export function endsLine(message: LogMessage): boolean {
  return message.bytes[message.bytes.length - 1] === newline;
}

let cachedSecond = '';
let cachedNs = 0n;

/** Nanoseconds since the epoch of an RFC 3339 time. Throws for anything else. */
export function parseTime(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) throw malformed('a message has no readable time');
  const [, second = '', fraction = '', zone = ''] = match;
  const key = second + zone;
  // Thousands of messages fall into one second.
  if (key !== cachedSecond) {
    const ms = Date.parse(key);
    if (Number.isNaN(ms)) throw malformed('a message has an impossible time');
    cachedSecond = key;
    cachedNs = BigInt(ms) * 1_000_000n;
  }
  return cachedNs + BigInt(fraction.padEnd(9, '0'));
}

function malformed(what: string): DockerConnectionError {
  return new DockerConnectionError(`The Engine's log cannot be read: ${what}.`, {
    retry: 'after-user-action',
  });
}
