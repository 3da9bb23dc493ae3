import type { FileLocation } from '../../src-main/contract/files.ts';
import type { TerminalTarget } from '../../src-main/contract/terminals.ts';
import type { App } from './app.svelte.ts';

/** The tab of the bottom panel that terminals are in. */
export const terminalsTab = 'terminals';

/** Opens a terminal and shows it; says so when it cannot be opened. */
export function openTerminal(app: App, target: TerminalTarget, folder: string | null = null): void {
  void app.attempt(async () => {
    await app.terminals.open(target, { folder });
    app.panel.open(terminalsTab);
  });
}

/** The same, in a folder of a place. */
export function openTerminalIn(app: App, { place, path }: FileLocation): void {
  const here = app.fleet.nodes.find(({ local }) => local)?.id;
  if (place.kind === 'task') openTerminal(app, place, path);
  else {
    const node = place.kind === 'node' ? place.node : here;
    if (node !== undefined) openTerminal(app, { kind: 'node', node }, path);
  }
}
