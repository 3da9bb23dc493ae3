// The tar format, as much of it as is needed to carry regular files: written in GNU's form, whose
// names are bytes, and read from whatever tar a node has (GNU, BusyBox, BSD). POSIX.1-2017, pax.
import { bytesOfText, textOfBytes } from '../../domain/files/path-text.ts';
import { HostileSourceError } from './errors.ts';

const block = 512;
const nothing = Buffer.alloc(0);
const zeros = Buffer.alloc(block);
const longestName = 100;
/** What is used of a header's block. */
const headerBytes = 345;
/** Eleven octal digits hold less; from there on GNU writes the size in base 256. */
const mostOctalBytes = 8 ** 11;
/** Longer than any path; a header that claims more is a lie. */
const longestExtraBytes = 64 * 1024;

export interface TarHead {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly modifiedAt: number;
}

/** The bytes before a file's own. */
export function tarHeader(head: TarHead): Buffer {
  return entry({ ...head, type: '0' });
}

/** A folder; what is in it follows with names of its own. */
export function tarFolder({ name, ...head }: Omit<TarHead, 'size'>): Buffer {
  return entry({ ...head, name: `${name}/`, size: 0, type: '5' });
}

/** A symbolic link. */
export function tarLink(head: Omit<TarHead, 'size'>, target: string): Buffer {
  return entry({ ...head, size: 0, type: '2', target: Buffer.from(bytesOfText(target)) });
}

type Entry = TarHead & { type: string; target?: Buffer };

function entry(head: Entry): Buffer {
  const name = Buffer.from(bytesOfText(head.name));
  const { target = nothing } = head;
  const own = header(name.subarray(0, longestName), {
    ...head,
    target: target.subarray(0, longestName),
  });
  if (name.length <= longestName && target.length <= longestName) return own;
  return Buffer.concat([
    ...(name.length > longestName ? longText(name, 'L') : []),
    ...(target.length > longestName ? longText(target, 'K') : []),
    own,
  ]);
}

/** What is too long for its field comes before, as GNU has it. */
function longText(text: Buffer, type: 'L' | 'K'): Buffer[] {
  const long = Buffer.concat([text, Buffer.alloc(1)]);
  const link = Buffer.from('././@LongLink');
  return [
    header(link, { size: long.length, mode: 0o644, modifiedAt: 0, type }),
    long,
    tarPadding(long.length),
  ];
}

/** What fills a file up to whole blocks. */
export function tarPadding(size: number): Buffer {
  return zeros.subarray(0, (block - (size % block)) % block);
}

/** What ends an archive. */
export const tarEnd = Buffer.alloc(2 * block);

function header(name: Buffer, head: Omit<Entry, 'name'>): Buffer {
  // Out of what Node has ready for small buffers; one made of zeros would be memory of its own.
  const bytes = Buffer.allocUnsafe(block).fill(0);
  name.copy(bytes, 0);
  writeOctal(bytes.subarray(100, 108), head.mode & 0o7777);
  writeOctal(bytes.subarray(108, 116), 0);
  writeOctal(bytes.subarray(116, 124), 0);
  if (head.size < mostOctalBytes) writeOctal(bytes.subarray(124, 136), head.size);
  else {
    bytes.writeUInt8(0x80, 124);
    bytes.writeBigUInt64BE(BigInt(head.size), 128);
  }
  writeOctal(bytes.subarray(136, 148), head.modifiedAt);
  bytes.fill(' ', 148, 156);
  bytes.write(head.type, 156, 'latin1');
  head.target?.copy(bytes, 157);
  bytes.write('ustar  \0', 257, 'latin1');
  let sum = 0;
  // By number: to go through it byte by byte takes several times as long, and there are thousands of headers.
  for (let at = 0; at < headerBytes; at += 1) sum += bytes[at] ?? 0;
  writeOctal(bytes.subarray(148, 155), sum);
  return bytes;
}

/** Digits that fill a field up to its last byte, which is zero. */
function writeOctal(field: Buffer, value: number): void {
  let rest = Math.max(0, value);
  field[field.length - 1] = 0;
  for (let digit = field.length - 2; digit >= 0; digit -= 1) {
    field[digit] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

export interface TarFile {
  readonly name: string;
  readonly size: number;
  /** Must be read to its end before the next file is asked for. */
  readonly bytes: AsyncIterable<Buffer>;
}

/**
 * The regular files of an archive, as it arrives. Everything else in it (folders, links, devices) is
 * passed over: whoever reads knows what was asked for. Throws HostileSourceError for what is no tar.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const input = new Input(source);
  let longName: Buffer | undefined;
  for (;;) {
    const head = await input.take(block);
    if (head === undefined || head.every((byte) => byte === 0)) {
      await input.drain();
      return;
    }
    const size = sizeOf(head);
    const type = String.fromCharCode(head[156] ?? 0);
    if (aboutNextTypes.has(type)) {
      longName = longNameIn(type, await input.extra(size)) ?? longName;
      continue;
    }
    const name = textOfBytes(longName ?? nameOf(head));
    longName = undefined;
    const body = input.body(size);
    if (regularTypes.has(type)) yield { name, size, bytes: body };
    // What the reader left, and the padding.
    for await (const _rest of body) continue;
    await input.take(tarPadding(size).length);
  }
}

/** Entries that say something about the one after them (or, `g`, all after them). */
const aboutNextTypes: ReadonlySet<string> = new Set(['L', 'K', 'x', 'g']);
const regularTypes: ReadonlySet<string> = new Set(['0', '\0', '7']);

function longNameIn(type: string, extra: Buffer): Buffer | undefined {
  if (type === 'L') return cutAtNul(extra);
  return type === 'x' ? paxPath(extra) : undefined;
}

class Input {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes; undefined at the end. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.some(missing);
      if (part === undefined) {
        if (parts.length > 0) throw cut();
        return undefined;
      }
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async extra(size: number): Promise<Buffer> {
    if (size > longestExtraBytes) throw new HostileSourceError('an archive names a file absurdly');
    const bytes = await this.take(size);
    await this.take(tarPadding(size).length);
    if (bytes === undefined && size > 0) throw cut();
    return bytes ?? Buffer.alloc(0);
  }

  async *body(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      const part = await this.some(left);
      if (part === undefined) throw cut();
      left -= part.length;
      yield part;
    }
  }

  async drain(): Promise<void> {
    while ((await this.some(block * 128)) !== undefined) continue;
  }

  /** What is there, at most so many bytes. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const step = await this.#iterator.next();
      if (step.done === true) return undefined;
      const { buffer, byteOffset, byteLength } = step.value;
      this.#rest = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
    }
    const part = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}

function cut(): HostileSourceError {
  return new HostileSourceError('an archive ends in the middle');
}

function cutAtNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function nameOf(head: Buffer): Buffer {
  const name = cutAtNul(head.subarray(0, longestName));
  const isPosix = head.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? cutAtNul(head.subarray(345, 500)) : Buffer.alloc(0);
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

function sizeOf(head: Buffer): number {
  const field = head.subarray(124, 136);
  // GNU writes what eleven digits cannot hold in base 256.
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4));
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  if (!/^[0-7]*$/.test(text)) throw new HostileSourceError('what came is no archive');
  return text === '' ? 0 : parseInt(text, 8);
}

/** The `path` of a pax header: lines of «length key=value». */
function paxPath(extra: Buffer): Buffer | undefined {
  for (let at = 0; at < extra.length;) {
    const space = extra.indexOf(0x20, at);
    const length = space < 0 ? NaN : Number(extra.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= 0) return undefined;
    const line = extra.subarray(space + 1, at + length - 1);
    if (line.subarray(0, 5).toString('latin1') === 'path=') return line.subarray(5);
    at += length;
  }
  return undefined;
}
