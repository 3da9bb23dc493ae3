/**
 * The bytes as UTF-8 text; undefined when they are none. Of a part, the last character may be cut: it
 * is left out.
 */
export function textOf(bytes: Uint8Array, isPart: boolean): string | undefined {
  if (bytes.includes(0)) return undefined;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes, { stream: isPart });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The bytes as text to look at, with signs in place of what is no UTF-8; undefined when they are no text. */
export function readableTextOf(bytes: Uint8Array): string | undefined {
  return bytes.includes(0) ? undefined : new TextDecoder().decode(bytes);
}

const lineEnd = 0x0a;

/**
 * Which bytes of a part are whole lines: a part that does not begin the file begins behind its first line
 * end, one that does not end it ends with its last. All of it where there is none.
 */
export function wholeLines(
  bytes: Uint8Array,
  part: { isFirst: boolean; isLast: boolean },
): { from: number; to: number } {
  const first = part.isFirst ? 0 : bytes.indexOf(lineEnd) + 1;
  const last = part.isLast ? bytes.length : bytes.lastIndexOf(lineEnd) + 1;
  return first < last ? { from: first, to: last } : { from: 0, to: bytes.length };
}

/** Bytes as people read them: where, sixteen in hexadecimal, and what of it is a character. */
export function hexOf(bytes: Uint8Array, position = 0): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const codes = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const text = row
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'))
      .join('');
    const hex = `${codes.slice(0, 8).join(' ')}  ${codes.slice(8).join(' ')}`;
    lines.push(`${(position + at).toString(16).padStart(8, '0')}  ${hex.padEnd(48)}  ${text}`);
  }
  return lines.join('\n');
}
