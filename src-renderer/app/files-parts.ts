// What files add to the shell: the tab of transfers, their count in the status bar, ways to a place.
import ArrowLeftRight from '@lucide/svelte/icons/arrow-left-right';
import FolderTree from '@lucide/svelte/icons/folder-tree';
import SquareCode from '@lucide/svelte/icons/square-code';
import { files as words, transfers } from '../lib/texts/files.ts';
import { workspace } from '../lib/texts/workspace.ts';
import { workspacePath } from '../lib/workspace-address.ts';
import TransferCount from '../pages/files/TransferCount.svelte';
import TransfersPanel from '../pages/files/TransfersPanel.svelte';
import { answers, type PaletteSource } from '../state/actions.svelte.ts';
import type { App } from '../state/app.svelte.ts';
import { transfersTab } from '../state/files.svelte.ts';

const atMost = 6;

export function addFilesParts(app: App): () => void {
  const ends = [
    app.panel.addTab({
      id: transfersTab,
      title: transfers.title,
      icon: ArrowLeftRight,
      order: 20,
      component: TransfersPanel,
      count: () => app.files.active || undefined,
    }),
    app.statusItems.add({ id: transfersTab, order: 40, component: TransferCount }),
    app.actions.add({
      id: transfersTab,
      label: transfers.show,
      icon: ArrowLeftRight,
      order: 60,
      run: () => app.panel.open(transfersTab),
    }),
    app.actions.addSource(filesSource(app)),
    app.actions.addSource(workspaceSource(app)),
  ];
  return () => ends.forEach((end) => end());
}

/** The files of each node that is there. */
function filesSource(app: App): PaletteSource {
  return {
    id: 'files',
    title: words.title,
    order: 16,
    known: (text) =>
      app.fleet.online
        .map((node) => ({
          id: `files-${node.id}`,
          label: words.filesOf(node.name),
          icon: FolderTree,
          note: node.name,
          run: () => app.router.go(['files'], { node: node.id }),
        }))
        .filter((entry) => answers(entry, text))
        .slice(0, atMost),
  };
}

/** The workspace of each node that is there, in the folder where a login begins. */
function workspaceSource(app: App): PaletteSource {
  return {
    id: 'workspaces',
    title: workspace.title,
    order: 17,
    known: (text) =>
      app.fleet.online
        .map((node) => ({
          id: `workspace-${node.id}`,
          label: workspace.openOn(node.name),
          icon: SquareCode,
          note: node.name,
          run: () => app.router.go(workspacePath, { node: node.id }),
        }))
        .filter((entry) => answers(entry, text))
        .slice(0, atMost),
  };
}
