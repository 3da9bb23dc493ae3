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

/** Bytes as people read them: where, sixteen in hexadecimal, and what of it is a character. */
export function hexOf(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const codes = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const text = row
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'))
      .join('');
    const hex = `${codes.slice(0, 8).join(' ')}  ${codes.slice(8).join(' ')}`;
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(48)}  ${text}`);
  }
  return lines.join('\n');
}
