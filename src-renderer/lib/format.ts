// Numbers, sizes, times and durations as people read them. Pure: what "now" is gets handed in.

const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes with a binary unit and at most one decimal: `1.5 GiB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–';
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < sizeUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const text = value.toFixed(digits).replace(/\.0$/, '');
  return `${text} ${sizeUnits[unit] ?? 'B'}`;
}

/** A part of a whole, the unit said once where both have it: `57.2 of 80 GiB`. */
export function formatPart(bytes: number | null | undefined, total: number): string {
  const whole = formatBytes(total);
  const part = formatBytes(bytes);
  const unit = whole.slice(whole.lastIndexOf(' '));
  return `${part.endsWith(unit) ? part.slice(0, -unit.length) : part} of ${whole}`;
}

/** Bytes per second. */
export function formatRate(bytesPerSecond: number | null | undefined): string {
  if (bytesPerSecond === null || bytesPerSecond === undefined) return '–';
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** A share of 0…1 as whole percent. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–';
  return `${String(Math.round(share * 100))} %`;
}

const groups = new Intl.NumberFormat('en-US');
/** A whole number with separators. */
export function formatCount(count: number): string {
  return groups.format(count);
}

/** `1 GPU`, `2 GPUs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const steps: readonly (readonly [number, string, number, string])[] = [
  [86_400, 'd', 3600, 'h'],
  [3600, 'h', 60, 'min'],
  [60, 'min', 1, 's'],
];

/** A duration in its two largest units: `2 h 5 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [size, unit, smaller, smallUnit] of steps) {
    if (seconds < size) continue;
    const rest = Math.floor((seconds % size) / smaller);
    const whole = `${String(Math.floor(seconds / size))} ${unit}`;
    return rest === 0 ? whole : `${whole} ${String(rest)} ${smallUnit}`;
  }
  return `${String(seconds)} s`;
}

/** A duration in its largest unit alone: `2 h`. For lists, where seconds that tick are only noise. */
export function formatRough(ms: number): string {
  return formatDuration(ms).split(' ').slice(0, 2).join(' ');
}

/** How long ago, in one unit: `3 min ago`. */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${String(seconds)} s ago`;
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${String(Math.floor(seconds / 3600))} h ago`;
  return `${String(Math.floor(seconds / 86_400))} d ago`;
}

const dateAndTime = new Intl.DateTimeFormat('en-CA', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** A moment in local time, `2026-03-01 14:02:09`. */
export function formatMoment(at: number): string {
  return dateAndTime.format(at).replace(',', '');
}

/** The same without seconds, `2026-03-01 14:02`. */
export function formatMinute(at: number): string {
  return formatMoment(at).slice(0, 16);
}

/** The time of day alone, `14:02:09`. */
export function formatClock(at: number): string {
  return formatMoment(at).slice(11);
}

/** The end of an ID, which is the part that tells IDs apart. */
export function shortId(id: string): string {
  return id.length > 8 ? `…${id.slice(-8)}` : id;
}
