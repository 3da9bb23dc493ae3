// What terminals add to the shell: the tab of the bottom panel, and ways to open one.
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import { terminals as words } from '../lib/texts/terminals.ts';
import TerminalsPanel from '../pages/terminals/TerminalsPanel.svelte';
import { answers, type PaletteSource } from '../state/actions.svelte.ts';
import type { App } from '../state/app.svelte.ts';
import { openTerminal, terminalsTab } from '../state/open-terminal.ts';

const atMost = 6;

export function addTerminalParts(app: App): () => void {
  const ends = [
    app.panel.addTab({
      id: terminalsTab,
      order: 10,
      title: words.title,
      icon: SquareTerminal,
      component: TerminalsPanel,
      count: () => app.terminals.count || undefined,
    }),
    app.actions.addSource(terminalSource(app)),
  ];
  return () => ends.forEach((end) => end());
}

/** One to open on each node that is there. */
function terminalSource(app: App): PaletteSource {
  return {
    id: terminalsTab,
    title: words.title,
    order: 15,
    known: (text) =>
      app.fleet.online
        .map((node) => ({
          id: `terminal-${node.id}`,
          label: node.local ? words.openHere : words.openOn(node.name),
          icon: SquareTerminal,
          note: node.name,
          run: () => openTerminal(app, { kind: 'node', node: node.id }),
        }))
        .filter((entry) => answers(entry, text))
        .slice(0, atMost),
  };
}
