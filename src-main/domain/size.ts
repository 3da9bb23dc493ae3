// Memory sizes as people write them. K, M, G and T are powers of 1024, however they are spelled,
// as Docker reads them (docker/go-units, RAMInBytes).
import { ValueSyntaxError } from './errors.ts';

const exponents: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const sizePattern = /^(\d+(?:\.\d+)?|\.\d+)\s*(?:([kmgtp])(?:ib?|b)?|b)?$/i;
const largestSize = 2 ** 50;

/**
 * Bytes meant by `512M`, `8G`, `1.5GiB`, `100`. At least 1, at most 1 PiB; a fraction of a byte is
 * cut off. Throws ValueSyntaxError.
 */
export function parseMemorySize(text: string): number {
  const match = sizePattern.exec(text.trim());
  if (match === null) {
    throw new ValueSyntaxError(
      'memory size',
      text,
      'write a number and a unit, such as 512M, 8G or 1.5GiB',
    );
  }
  const bytes = Math.floor(
    Number(match[1]) * 1024 ** (exponents[(match[2] ?? '').toLowerCase()] ?? 0),
  );
  if (bytes < 1) throw new ValueSyntaxError('memory size', text, 'it must be at least 1 byte');
  if (bytes > largestSize)
    throw new ValueSyntaxError('memory size', text, 'it can be at most 1 PiB');
  return bytes;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `8 GiB`, `1.5 GiB`, `512 MiB`, `100 B`: for people; at most one decimal, so not always exact. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // 1023.96 MiB would print as 1024 MiB.
  if (Math.round(Math.abs(value) * 10) / 10 >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const rounded = Math.round(value * 10) / 10;
  return `${String(rounded)} ${units[unit] ?? 'B'}`;
}
