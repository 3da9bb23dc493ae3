import type { TerminalTarget } from '../../src-main/contract/terminals.ts';
import type { App } from './app.svelte.ts';

/** The tab of the bottom panel that terminals are in. */
export const terminalsTab = 'terminals';

/** Opens a terminal and shows it; says so when it cannot be opened. */
export function openTerminal(app: App, target: TerminalTarget): void {
  void app.attempt(async () => {
    await app.terminals.open(target);
    app.panel.open(terminalsTab);
  });
}
