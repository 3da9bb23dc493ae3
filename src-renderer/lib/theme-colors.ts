// Colours of the tokens as canvases need them: resolved for the theme that is on screen.

/** Resolves tokens such as `--running` to `rgb(…)` in the place of an element. */
export function resolveColors<T extends string>(
  within: HTMLElement,
  tokens: readonly T[],
): Record<T, string> {
  const probe = document.createElement('span');
  probe.hidden = true;
  within.append(probe);
  const style = getComputedStyle(probe);
  const colors = tokens.map((token) => {
    probe.style.color = `var(${token})`;
    return [token, style.color] as const;
  });
  probe.remove();
  return Object.fromEntries(colors) as Record<T, string>;
}
