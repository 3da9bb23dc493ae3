// What environments add to the palette: each of them, and a terminal in those that are worked on.
import Package from '@lucide/svelte/icons/package';
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import type { EnvironmentView } from '../../src-main/contract/environments.ts';
import { environmentLook } from '../lib/environment-words.ts';
import { environments as words } from '../lib/texts/environments.ts';
import { terminals } from '../lib/texts/terminals.ts';
import { answers, type PaletteEntry } from '../state/actions.svelte.ts';
import type { App } from '../state/app.svelte.ts';
import { openTerminal } from '../state/open-terminal.ts';

const atMost = 6;

export function addEnvironmentParts(app: App): () => void {
  return app.actions.addSource({
    id: 'environments',
    title: words.title,
    order: 14,
    find: async (text, signal) => {
      const all = await app.client.api.environments.list(undefined, { signal });
      return all
        .flatMap((view) => entriesOf(app, view))
        .filter((entry) => answers(entry, text))
        .slice(0, atMost);
    },
  });
}

function entriesOf(app: App, view: EnvironmentView): PaletteEntry[] {
  const { name, build } = view;
  const go = {
    id: name,
    label: name,
    icon: Package,
    note: environmentLook(view).word,
    run: () => app.router.go(['environments', name]),
  };
  if (build?.state !== 'running' || build.container === null) return [go];
  const { nodeId: node, container } = build;
  const shell = {
    id: `terminal-${name}`,
    label: terminals.openOn(name),
    icon: SquareTerminal,
    run: () => openTerminal(app, { kind: 'container', node, container }),
  };
  return [go, shell];
}
