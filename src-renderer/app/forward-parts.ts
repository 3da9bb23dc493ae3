// What forwards and VPSes add to the shell: a tab of the bottom panel, a count, and orders of the palette.
import Cable from '@lucide/svelte/icons/cable';
import Monitor from '@lucide/svelte/icons/monitor';
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import type { VpsView } from '../../src-main/contract/vps.ts';
import { forwards as words } from '../lib/texts/forwards.ts';
import { terminals } from '../lib/texts/terminals.ts';
import { vps } from '../lib/texts/vps.ts';
import { vpsLook } from '../lib/vps-words.ts';
import AddForwardDialog from '../pages/forwards/AddForwardDialog.svelte';
import ForwardsPanel from '../pages/forwards/ForwardsPanel.svelte';
import { answers, type PaletteEntry, type PaletteSource } from '../state/actions.svelte.ts';
import type { App } from '../state/app.svelte.ts';
import { forwardsTab } from '../state/open-forwards.ts';
import { openTerminal } from '../state/open-terminal.ts';
import ForwardCount from './status/ForwardCount.svelte';

const atMost = 9;

export function addForwardParts(app: App): () => void {
  const ends = [
    app.panel.addTab({
      id: forwardsTab,
      order: 30,
      title: words.title,
      icon: Cable,
      component: ForwardsPanel,
      count: () => app.forwards.all.length || undefined,
    }),
    app.statusItems.add({ id: forwardsTab, order: 50, component: ForwardCount }),
    app.overlays.add({ id: 'add-forward', component: AddForwardDialog }),
    app.actions.add({
      id: 'add-forward',
      label: words.add,
      icon: Cable,
      order: 30,
      run: () => app.forwards.ask(),
    }),
    app.actions.addSource(vpsSource(app)),
  ];
  return () => ends.forEach((end) => end());
}

/** VPSes, and what can be done with those that run. */
function vpsSource(app: App): PaletteSource {
  return {
    id: 'vps',
    title: vps.title,
    order: 12,
    find: async (text, signal) => {
      const all = await app.client.api.vps.list(undefined, { signal });
      return all
        .flatMap((view) => entriesOf(app, view))
        .filter((entry) => answers(entry, text))
        .slice(0, atMost);
    },
  };
}

function entriesOf(app: App, view: VpsView): PaletteEntry[] {
  const { id, name, status } = view;
  const go = {
    id,
    label: name,
    icon: Monitor,
    note: vpsLook(view).word,
    run: () => app.router.go(['vps', id]),
  };
  if (status !== 'RUNNING') return [go];
  return [
    go,
    {
      id: `terminal-${id}`,
      label: terminals.openOn(name),
      icon: SquareTerminal,
      run: () => openTerminal(app, { kind: 'task', task: id }),
    },
    {
      id: `forward-${id}`,
      label: words.addTo(name),
      icon: Cable,
      run: () => app.forwards.ask({ kind: 'task', id, name }),
    },
  ];
}
