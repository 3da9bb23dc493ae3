// One line of shell words into an argument vector and back, so that people can type a command the
// way they are used to while the core gets the vector.

export type Words = { ok: true; words: string[] } | { ok: false; problem: string };

interface Scan {
  words: string[];
  word: string | undefined;
}

/** Splits like a POSIX shell does, with quotes and backslashes, but expands nothing. */
export function splitWords(text: string): Words {
  const scan: Scan = { words: [], word: undefined };
  let at = 0;
  while (at < text.length) {
    const next = takePiece(text, at, scan);
    if (next === undefined) return { ok: false, problem: 'A quote is opened and never closed.' };
    at = next;
  }
  if (scan.word !== undefined) scan.words.push(scan.word);
  return { ok: true, words: scan.words };
}

/** Consumes one character, escape or quoted piece; undefined when a quote stays open. */
function takePiece(text: string, at: number, scan: Scan): number | undefined {
  const char = text.charAt(at);
  if (/\s/.test(char)) {
    if (scan.word !== undefined) scan.words.push(scan.word);
    scan.word = undefined;
    return at + 1;
  }
  scan.word ??= '';
  if (char === "'") return takeSingle(text, at, scan);
  if (char === '"') return takeDouble(text, at, scan);
  if (char === '\\' && at + 1 < text.length) {
    const escaped = text.charAt(at + 1);
    if (escaped !== '\n') scan.word += escaped;
    return at + 2;
  }
  scan.word += char;
  return at + 1;
}

function takeSingle(text: string, at: number, scan: Scan): number | undefined {
  const end = text.indexOf("'", at + 1);
  if (end < 0) return undefined;
  scan.word = (scan.word ?? '') + text.slice(at + 1, end);
  return end + 1;
}

function takeDouble(text: string, at: number, scan: Scan): number | undefined {
  let word = scan.word ?? '';
  for (let i = at + 1; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '"') {
      scan.word = word;
      return i + 1;
    }
    const escaped = text.charAt(i + 1);
    if (char === '\\' && '"\\$`\n'.includes(escaped) && escaped !== '') {
      if (escaped !== '\n') word += escaped;
      i += 1;
    } else {
      word += char;
    }
  }
  return undefined;
}

/** What needs no quotes to be one word to every POSIX shell. */
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word, quoted for a shell when it has to be. */
export function quoteWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A vector as a line that splits back into it. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/**
 * Whether a line uses something only a shell does (pipes, `&&`, redirections, variables), so that
 * running it as an argument vector would surprise.
 */
export function looksLikeShell(text: string): boolean {
  const bare = text.replace(/'[^']*'/g, '').replace(/\\./g, '');
  return /[|&;<>]|\$[A-Za-z_({]|`|\n\s*\S/.test(bare.replace(/"[^"$`]*"/g, ''));
}
