// Single values out of foreign text: each is either sensible or absent.

/** Large enough for every byte count there is, small enough to be exact. */
const maxCount = 2 ** 52;

/** A whole number ≥ 0 written in digits, or null. */
export function countOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text.trim())) return null;
  const value = Number(text);
  return value <= maxCount ? value : null;
}

/** A decimal number within the bounds, or null for anything else (`[N/A]`, `ERR!`, negative…). */
export function numberWithin(
  text: string | undefined,
  minimum: number,
  maximum: number,
): number | null {
  if (text === undefined || !/^-?\d{1,15}(\.\d{1,9})?$/.test(text.trim())) return null;
  const value = Number(text);
  return value >= minimum && value <= maximum ? value : null;
}

/** Kibibytes in digits to bytes, or null. */
export function kibibytes(text: string | undefined): number | null {
  const value = countOf(text);
  return value === null || value * 1024 > maxCount ? null : value * 1024;
}

/** Mebibytes in digits to bytes, or null. */
export function mebibytes(text: string | undefined): number | null {
  const value = countOf(text);
  return value === null || value * 2 ** 20 > maxCount ? null : value * 2 ** 20;
}

/** Text for people: no control characters, no line breaks or direction tricks, at most `limit` long. */
export function cleanText(text: string | undefined, limit = 128): string {
  return (text ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, limit);
}

/** CPU numbers of a list such as `0-3,8,10-11`; at most 8,192 of them. Malformed parts are left out. */
export function cpuList(text: string): number[] {
  const cores = new Set<number>();
  for (const part of text.trim().split(',').slice(0, 1024)) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (range === null) continue;
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    for (let core = first; core <= last && cores.size < 8192; core++) cores.add(core);
  }
  return [...cores].sort((a, b) => a - b);
}

/** `0000:3b:00.0` from any of the ways PCI addresses are written, or null. */
export function pciAddress(text: string | undefined): string | null {
  const parts = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(
    (text ?? '').trim(),
  );
  if (parts === null) return null;
  const domain = (parts[1] ?? '0000').slice(-4).padStart(4, '0');
  return `${domain}:${parts[2] ?? ''}`.toLowerCase();
}
