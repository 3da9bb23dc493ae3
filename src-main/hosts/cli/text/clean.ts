/**
 * Text that came from elsewhere (a node, a task, a colleague), safe to show on a terminal: one line,
 * no control characters, so that nothing in it moves the cursor or sets the clipboard.
 */
export function clean(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
