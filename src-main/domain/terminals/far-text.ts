// Text of a terminal's far side that is shown outside of the terminal: it may have been written by
// anybody, to look like anything.

const longestTitle = 120;

/**
 * A title as it may be shown: one line, no control characters, nothing that reorders or hides text
 * (bidirectional controls, zero-width characters), of bounded length.
 */
export function cleanTitle(text: string): string {
  const plain = text
    .slice(0, 4 * longestTitle)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return Array.from(plain).slice(0, longestTitle).join('');
}
