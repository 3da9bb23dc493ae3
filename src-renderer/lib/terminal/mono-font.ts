// The letters of terminals and logs. xterm measures one when it is opened and goes by that from then on: with a
// font that came later, lines would stand as far apart as those of the font that was drawn in its stead.
export const monoFamily = '"JetBrains Mono Variable", monospace';
/** A font that is not there by then is not waited for. */
const longestWaitMs = 3000;

/**
 * Mounts what needs the font of terminals once it is there: at once, mostly.
 * @param mount gives what unmounts it, as for `onMount` of Svelte
 * @returns what unmounts it, or sees to it that it is not mounted any more
 */
export function onceFontIsThere(mount: () => () => void): () => void {
  const font = `12px ${monoFamily}`;
  if (document.fonts.check(font)) return mount();
  let unmount: (() => void) | undefined;
  let isOver = false;
  const begin = (): void => {
    if (!isOver) unmount ??= mount();
  };
  document.fonts.load(font).then(begin, begin);
  const timer = setTimeout(begin, longestWaitMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
    unmount?.();
  };
}
