// Keys as text: `c`, `?`, `g n` (one after the other), `Mod+K`, `Mod+Shift+P`. `Mod` is Command on a
// Mac and Control elsewhere.

/** How long the second key of a pair may take. */
const pairMs = 1200;

export const isMac = navigator.userAgent.includes('Mac');

/** A pressed key in the notation above; undefined while only modifiers are down. */
export function keyOf(event: KeyboardEvent): string | undefined {
  if (['Control', 'Shift', 'Alt', 'Meta'].includes(event.key)) return undefined;
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const letter = event.key.length === 1 ? event.key : event.key;
  // A shifted sign is its own key (`?`); a shifted letter under Mod is named.
  const isNamed = mod && event.shiftKey && event.key.length === 1;
  return [
    ...(mod ? ['Mod'] : []),
    ...(event.altKey ? ['Alt'] : []),
    ...(isNamed ? ['Shift'] : []),
    mod ? letter.toUpperCase() : letter,
  ].join('+');
}

/** For people: `⌘K`, `Ctrl K`, `G then N`. */
export function keyWords(keys: string): string {
  return keys
    .split(' ')
    .map((key) =>
      isMac
        ? key.replace('Mod+', '⌘').replace('Shift+', '⇧').replace('Alt+', '⌥')
        : key.replaceAll('Mod', 'Ctrl').replaceAll('+', ' '),
    )
    .join(' then ');
}

/** Whether keys belong to what is being typed into, or to an open dialog. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, textarea, [contenteditable], [role="dialog"], [role="menu"], .xterm') !==
      null
  );
}

/** Finds which of several shortcuts a stream of keys asks for, pairs included. */
export class KeyReader {
  #first: { key: string; at: number } | undefined;

  /** The keys this press completes, longest first; `now` in ms of any steady clock. */
  read(event: KeyboardEvent, now: number): readonly string[] {
    const key = keyOf(event);
    if (key === undefined) return [];
    const first = this.#first;
    this.#first = key.includes('+') ? undefined : { key, at: now };
    return first !== undefined && now - first.at < pairMs ? [`${first.key} ${key}`, key] : [key];
  }

  /** A pair was used up: its second key begins nothing. */
  clear(): void {
    this.#first = undefined;
  }
}
