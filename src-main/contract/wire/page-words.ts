/** What the page and the one script that runs before it say to each other, as `{ type, to }`. */
export const pageWords = {
  wanted: 'kohakuriver:want-port',
  /** With the port. */
  port: 'kohakuriver:port',
} as const;

/** What a port leads to: the core that is shown, or the desktop app itself. */
export const portEnds = ['core', 'desktop'] as const;
export type PortEnd = (typeof portEnds)[number];

export interface PageWord {
  type: string;
  to: PortEnd;
}

/** Whether something posted to the window is this word. */
export function isPageWord(data: unknown, type: string): data is PageWord {
  return (
    typeof data === 'object' &&
    data !== null &&
    'type' in data &&
    data.type === type &&
    'to' in data &&
    isPortEnd(data.to)
  );
}

export function isPortEnd(value: unknown): value is PortEnd {
  return (portEnds as readonly unknown[]).includes(value);
}

/** What the preload puts on the window of a page in the desktop app. */
export interface DesktopMark {
  /** The path of a file that was dropped or chosen; empty for one that is on no disk. */
  pathOf(file: File): string;
}

/** Its name there. */
export const desktopMark = 'kohakuriverHost';
