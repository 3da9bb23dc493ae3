// What the shell itself, nodes and tasks add to the palette and the status bar.
import Keyboard from '@lucide/svelte/icons/keyboard';
import PanelBottom from '@lucide/svelte/icons/panel-bottom';
import Plus from '@lucide/svelte/icons/plus';
import SunMoon from '@lucide/svelte/icons/sun-moon';
import { shortId } from '../lib/format.ts';
import { nodeLook, taskLook } from '../lib/status.ts';
import { workLine } from '../lib/task-words.ts';
import { themeChoices } from '../lib/theme-choice.ts';
import { shell } from '../lib/texts/shell.ts';
import { shortcutTexts } from '../lib/texts/shortcuts.ts';
import AddNodeDialog from '../pages/nodes/AddNodeDialog.svelte';
import { answers, type Action, type PaletteSource } from '../state/actions.svelte.ts';
import type { App } from '../state/app.svelte.ts';
import ShortcutSheet from './ShortcutSheet.svelte';
import CoreStatus from './status/CoreStatus.svelte';
import NodeCount from './status/NodeCount.svelte';
import TaskCounts from './status/TaskCounts.svelte';

const words = shell.palette;
const atMost = 8;

export function addShellParts(app: App): () => void {
  const ends = [
    app.actions.add(...actions(app)),
    app.actions.addSource(nodeSource(app)),
    app.actions.addSource(taskSource(app)),
    app.statusItems.add(
      { id: 'core', order: 10, component: CoreStatus },
      { id: 'nodes', order: 20, component: NodeCount },
      { id: 'tasks', order: 30, component: TaskCounts },
    ),
    app.overlays.add(
      { id: 'add-node', component: AddNodeDialog },
      { id: 'shortcuts', component: ShortcutSheet },
    ),
  ];
  return () => ends.forEach((end) => end());
}

function actions(app: App): readonly Action[] {
  return [
    {
      id: 'submit',
      label: words.submit,
      icon: Plus,
      keys: 'c',
      run: () => app.router.go(['tasks', 'new']),
    },
    {
      id: 'add-node',
      label: words.addNode,
      icon: Plus,
      run: () => (app.isAddingNode = true),
    },
    {
      id: 'panel',
      label: shell.panel.toggle,
      icon: PanelBottom,
      order: 80,
      keys: 'Mod+J',
      isShown: () => app.panel.tabs.length > 0,
      run: () => app.panel.toggle(),
    },
    {
      id: 'shortcuts',
      label: shortcutTexts.action,
      icon: Keyboard,
      order: 85,
      keys: '?',
      run: () => (app.isShowingKeys = true),
    },
    ...themeChoices.map((choice) => ({
      id: `theme-${choice}`,
      label: words.themeTo[choice],
      icon: SunMoon,
      order: 90,
      run: () => void app.attempt(() => app.theme.choose(choice)),
    })),
  ];
}

function nodeSource(app: App): PaletteSource {
  return {
    id: 'nodes',
    title: words.groups.nodes,
    order: 10,
    known: (text) =>
      app.fleet.nodes
        .map((node) => ({
          id: node.id,
          label: node.name,
          icon: nodeLook(node).icon,
          note: nodeLook(node).word,
          run: () => app.router.go(['nodes', node.id]),
        }))
        .filter((entry) => answers(entry, text))
        .slice(0, atMost),
  };
}

/** Found by the core, which also looks into commands. */
function taskSource(app: App): PaletteSource {
  return {
    id: 'tasks',
    title: words.groups.tasks,
    order: 20,
    find: async (text, signal) => {
      const filter = text === '' ? {} : { text: text.slice(0, 200) };
      const { rows } = await app.client.api.tasks.list({ filter, limit: atMost }, { signal });
      return rows.map((task) => ({
        id: task.id,
        label: task.name ?? workLine(task.work),
        icon: taskLook(task).icon,
        note: `${taskLook(task).word} · ${shortId(task.id)}`,
        run: () => app.router.go(['tasks', task.id]),
      }));
    },
  };
}
