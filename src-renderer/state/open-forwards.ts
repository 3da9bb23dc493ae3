import type { App } from './app.svelte.ts';

/** The tab of the bottom panel that forwards are in. */
export const forwardsTab = 'forwards';

export function openForwards(app: App): void {
  app.panel.open(forwardsTab);
}
