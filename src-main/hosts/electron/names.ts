/** Where the app's window is loaded from: a scheme and a host of our own instead of `file:`. */
export const appOrigin = 'app://kohakuriver';

/** Channels between preload and main: the page wants a port; main gives one. */
export const channels = { wireWanted: 'wire-wanted', wirePort: 'wire-port' } as const;
