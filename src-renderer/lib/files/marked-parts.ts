export interface MarkedPart {
  readonly text: string;
  readonly isMarked: boolean;
}

/** A line in parts, those that are what was looked for marked, in any case of letters. */
export function markedParts(line: string, needle: string): readonly MarkedPart[] {
  const [low, wanted] = [line.toLowerCase(), needle.toLowerCase()];
  // Letters of which the small form is longer would move everything behind them.
  if (wanted === '' || low.length !== line.length) return [{ text: line, isMarked: false }];
  const parts: MarkedPart[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    if (at > from) parts.push({ text: line.slice(from, at), isMarked: false });
    from = at + wanted.length;
    parts.push({ text: line.slice(at, from), isMarked: true });
  }
  if (from < line.length) parts.push({ text: line.slice(from), isMarked: false });
  return parts;
}
