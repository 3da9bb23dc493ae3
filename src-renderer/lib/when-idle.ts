/** Does something in the first pause of the page, or after so long at the latest; returns what calls it off. */
export function whenIdle(run: () => void, patienceMs: number): () => void {
  // Safari has no such call: there it is done as soon as what goes on now is over.
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(run, 0);
    return () => clearTimeout(timer);
  }
  const idle = window.requestIdleCallback(run, { timeout: patienceMs });
  return () => window.cancelIdleCallback(idle);
}
