// What people write in the form of a reservation.

/** A moment as a field for local times has it: `2026-03-01T14:05`. */
export function toLocalInput(at: number): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day}T${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** The moment a field for local times means; undefined while it is not whole. */
export function fromLocalInput(text: string): number | undefined {
  const at = text === '' ? NaN : new Date(text).getTime();
  return Number.isNaN(at) ? undefined : at;
}

/** `0, 1` as numbers; null for nothing, which means all; undefined for what is no such list. */
export function parseGpuList(text: string): number[] | null | undefined {
  const parts = text.split(/[,\s]+/).filter((part) => part !== '');
  if (parts.length === 0) return null;
  return parts.every((part) => /^\d{1,3}$/.test(part)) ? parts.map(Number) : undefined;
}
