// Sizes as people type them. `K M G T` are powers of 1024 with or without `i` and `B`, as the core
// and Docker read them (spec: tasks, «How much»).

const exponents: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const pattern = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?\s*$/i;

/** The bytes a text such as `8G`, `1.5GiB` or `512M` means, or undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const exponent = exponents[(match[2] ?? '').toLowerCase()];
  if (exponent === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * 1024 ** exponent);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest text that `parseSize` reads back as exactly these bytes. */
export function sizeText(bytes: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P'];
  let unit = 0;
  let value = bytes;
  while (value !== 0 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${String(value)}${units[unit] ?? ''}`;
}
