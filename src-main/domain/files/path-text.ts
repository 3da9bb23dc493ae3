// Names of files are bytes, and text travels: every byte that is no UTF-8 becomes a lone surrogate
// (U+DC80 to U+DCFF, as Python's «surrogateescape» has it), which JSON carries as it is. Any name
// goes there and back unchanged.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const escapedBytes = /[\uDC80-\uDCFF]/u;

/** The text of a name or path as it came from a file system. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return escaped(bytes);
  }
}

/** The bytes of such a text; the inverse of `textOfBytes`. */
export function bytesOfText(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

/** Whether the text stands for bytes that are no UTF-8: programs that take strings cannot be given it. */
export function hasRawBytes(text: string): boolean {
  return escapedBytes.test(text);
}

/** For people: what cannot be shown or would change the line becomes visible. */
export function shownName(text: string): string {
  return text
    .replace(/[\uDC80-\uDCFF]/gu, (raw) => `\\x${(raw.charCodeAt(0) - 0xdc00).toString(16)}`)
    .replace(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (control) => {
      const code = control.codePointAt(0) ?? 0;
      return named[control] ?? `\\u{${code.toString(16)}}`;
    });
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] ?? 0);
    const valid = length === 0 ? undefined : decoded(bytes.subarray(at, at + length));
    text += valid ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += valid === undefined ? 1 : length;
  }
  return text;
}

/** Of a UTF-8 sequence, by its first byte (RFC 3629); 0 where none begins. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
