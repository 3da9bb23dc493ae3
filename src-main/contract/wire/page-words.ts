/** What the page and the one script that runs before it say to each other, as `{ type }`. */
export const pageWords = {
  wanted: 'kohakuriver:want-port',
  /** With the port. */
  port: 'kohakuriver:port',
} as const;

/** Name of a mark on the window of a page in the desktop app, so that it knows to ask for a port. */
export const desktopMark = 'kohakuriverHost';
