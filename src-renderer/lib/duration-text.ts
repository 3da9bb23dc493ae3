// Durations as people type them, read as the command line reads them: `90s`, `10m`, `2h`, `1d`,
// `1h30m`; a bare number is seconds.

const unitSeconds = { d: 86_400, h: 3600, m: 60, s: 1 } as const;
const pattern =
  /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?$/i;

/** The whole seconds a text means, or undefined when it is no duration. */
export function parseSeconds(text: string): number | undefined {
  const packed = text.replaceAll(/\s/g, '');
  const match = pattern.exec(packed);
  if (match === null || packed === '') return undefined;
  const seconds = Object.values(unitSeconds).reduce(
    (sum, size, at) => sum + size * Number(match[at + 1] ?? 0),
    0,
  );
  return Number.isSafeInteger(Math.round(seconds)) ? Math.round(seconds) : undefined;
}

/** The shortest text that `parseSeconds` reads back as exactly this: `1h30m`. */
export function secondsText(seconds: number): string {
  let rest = seconds;
  let text = '';
  for (const [unit, size] of Object.entries(unitSeconds)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${String(count)}${unit}`;
  }
  return text === '' ? '0s' : text;
}
