// Moments as `<input type="datetime-local">` has them: local time to the minute, `2026-03-01T14:05`.

function two(value: number): string {
  return String(value).padStart(2, '0');
}

export function localMinute(at: number): string {
  const date = new Date(at);
  const day = `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** To the second, for `step="1"`. */
export function localSecond(at: number): string {
  return `${localMinute(at)}:${two(new Date(at).getSeconds())}`;
}

/** Milliseconds since the epoch, or undefined when the text is no such moment. */
export function parseLocalMinute(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return undefined;
  const at = new Date(text).getTime();
  return Number.isNaN(at) || at < 0 ? undefined : at;
}
