// Every page of the app: one entry here is a page with its address, its title, its place in the
// sidebar and the palette, and its code, which is fetched when it is first wanted.
import type { Component } from 'svelte';
import Activity from '@lucide/svelte/icons/activity';
import Boxes from '@lucide/svelte/icons/boxes';
import FolderTree from '@lucide/svelte/icons/folder-tree';
import Gpu from '@lucide/svelte/icons/gpu';
import LayoutGrid from '@lucide/svelte/icons/layout-grid';
import ListOrdered from '@lucide/svelte/icons/list-ordered';
import ListTodo from '@lucide/svelte/icons/list-todo';
import Monitor from '@lucide/svelte/icons/monitor';
import Package from '@lucide/svelte/icons/package';
import Server from '@lucide/svelte/icons/server';
import Settings from '@lucide/svelte/icons/settings';
import { shell } from '../lib/texts/shell.ts';
import type { App } from '../state/app.svelte.ts';
import type { Place } from '../state/router.svelte.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what Svelte asks of any component's props
type PageProps = Record<string, any>;

export interface Route {
  /** Parts of the address: words, `:name` for any one part, `*` at the end for any rest. */
  readonly path: readonly string[];
  readonly title: string;
  /** The sidebar entry that is lit: the first part of the address. */
  readonly area: string;
  /** A page with an icon has a place in the sidebar and the palette. */
  readonly icon?: Component;
  /** Stands below the others in the sidebar. */
  readonly isLast?: boolean;
  readonly load: () => Promise<{ default: Component<PageProps> }>;
  readonly props: (place: Place) => PageProps;
  /** A page is made anew when this changes; else it lives on and follows its props. */
  readonly key: (place: Place) => unknown;
  /** A page whose capability is not there is not shown. Left out means always. */
  readonly isShown?: (app: App) => boolean;
  /** What takes one there from anywhere, as `shortcuts.ts` reads it. */
  readonly keys?: string;
  /** A figure beside its name in the sidebar. */
  readonly count?: (app: App) => number | undefined;
}

interface PageSpec<Props extends PageProps> extends Partial<
  Pick<Route, 'icon' | 'isLast' | 'isShown' | 'keys' | 'count' | 'key'>
> {
  title: string;
  load: () => Promise<{ default: Component<Props> }>;
  props: (place: Place) => Props;
}

/** A page at an address such as `nodes/:ref/*`. */
function page<Props extends PageProps>(address: string, spec: PageSpec<Props>): Route {
  const path = address.split('/').filter((part) => part !== '');
  return {
    // The address's own variables decide whether it is the same page.
    key: (place) =>
      path.map((part, at) => (part.startsWith(':') ? place.path[at] : part)).join('/'),
    ...spec,
    path,
    area: path[0] ?? '',
    // What `props` makes is what the component takes: the types above say so, a table cannot.
    load: spec.load as unknown as Route['load'],
  };
}

const none = (): Record<string, never> => ({});

/** A count worth a badge: nothing for none. */
function someOf(count = 0): number | undefined {
  return count === 0 ? undefined : count;
}

const titles = shell.pages;

/** Looked through from the top: the first that fits an address is its page. */
export const routes: readonly Route[] = [
  page('', {
    title: titles.overview,
    icon: LayoutGrid,
    keys: 'g o',
    load: () => import('../pages/overview/OverviewPage.svelte'),
    props: none,
  }),
  page('nodes', {
    title: titles.nodes,
    icon: Server,
    keys: 'g n',
    load: () => import('../pages/nodes/NodesPage.svelte'),
    props: none,
    count: ({ fleet }) => (fleet.isLoaded ? fleet.nodes.length : undefined),
  }),
  page('nodes/:ref/*', {
    title: titles.nodes,
    load: () => import('../pages/nodes/NodePage.svelte'),
    props: ({ path }) => ({ nodeRef: path[1] ?? '' }),
  }),
  page('gpus', {
    title: titles.gpus,
    icon: Gpu,
    keys: 'g g',
    load: () => import('../pages/gpus/GpusPage.svelte'),
    props: none,
    count: ({ fleet }) => someOf(fleet.gpuCount),
  }),
  page('gpus/:uuid', {
    title: titles.gpus,
    load: () => import('../pages/gpus/GpuPage.svelte'),
    props: ({ path }) => ({ uuid: path[1] ?? '' }),
  }),
  page('tasks', {
    title: titles.tasks,
    icon: ListTodo,
    keys: 'g t',
    load: () => import('../pages/tasks/TasksPage.svelte'),
    props: none,
    count: ({ core }) => {
      const { RUNNING = 0, ASSIGNING = 0, PAUSED = 0 } = core?.tasks ?? {};
      return someOf(RUNNING + ASSIGNING + PAUSED);
    },
  }),
  page('tasks/new', {
    title: titles.newTask,
    load: () => import('../pages/tasks/SubmitPage.svelte'),
    props: ({ query }) => ({ from: query['from'], sample: query['sample'] }),
    // Asking for a new task again is another form.
    key: (place) => place,
  }),
  page('tasks/:ref/*', {
    title: titles.tasks,
    load: () => import('../pages/tasks/TaskPage.svelte'),
    props: ({ path }) => ({ taskRef: path[1] ?? '' }),
  }),
  page('queue', {
    title: titles.queue,
    icon: ListOrdered,
    load: () => import('../pages/queue/QueuePage.svelte'),
    props: none,
    count: ({ core }) => someOf(core?.tasks.PENDING),
  }),
  page('batches', {
    title: titles.batches,
    icon: Boxes,
    load: () => import('../pages/batches/BatchesPage.svelte'),
    props: none,
  }),
  page('vps', {
    title: titles.vps,
    icon: Monitor,
    load: () => import('../pages/vps/VpsListPage.svelte'),
    props: none,
  }),
  page('vps/:ref/*', {
    title: titles.vps,
    load: () => import('../pages/vps/VpsDetailPage.svelte'),
    props: ({ path }) => ({ vpsRef: path[1] ?? '' }),
  }),
  page('files', {
    title: titles.files,
    icon: FolderTree,
    keys: 'g f',
    load: () => import('../pages/files/FilesPage.svelte'),
    props: ({ query }) => ({ node: query['node'], task: query['task'], path: query['path'] }),
    // One page for the whole visit: its panes stay where they are.
    key: () => 'files',
  }),
  page('files/workspace', {
    title: titles.workspace,
    load: () => import('../pages/workspace/WorkspacePage.svelte'),
    props: ({ query }) => ({
      node: query['node'],
      task: query['task'],
      path: query['path'],
      file: query['file'],
    }),
    // Another folder is another workspace; another file of it is not.
    key: ({ query }) => JSON.stringify([query['node'], query['task'], query['path']]),
  }),
  page('environments', {
    title: titles.environments,
    icon: Package,
    keys: 'g e',
    load: () => import('../pages/environments/EnvironmentsPage.svelte'),
    props: none,
  }),
  page('environments/:name', {
    title: titles.environments,
    load: () => import('../pages/environments/EnvironmentPage.svelte'),
    props: ({ path }) => ({ name: path[1] ?? '' }),
  }),
  page('diagnostics', {
    title: titles.diagnostics,
    icon: Activity,
    keys: 'g d',
    isLast: true,
    load: () => import('../pages/diagnostics/DiagnosticsPage.svelte'),
    props: none,
  }),
  page('settings/*', {
    title: titles.settings,
    icon: Settings,
    keys: 'g s',
    isLast: true,
    load: () => import('../pages/settings/SettingsPage.svelte'),
    props: none,
  }),
];

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '*';
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  if (isOpen ? path.length < fixed.length : path.length !== fixed.length) return false;
  return fixed.every((part, at) => part.startsWith(':') || part === path[at]);
}

/** The page of an address; undefined where there is none. */
export function routeOf(path: readonly string[], app: App): Route | undefined {
  return routes.find((route) => fits(route.path, path) && isShown(route, app));
}

export function isShown(route: Route, app: App): boolean {
  return route.isShown?.(app) ?? true;
}

/** The pages of the sidebar, in order. */
export function sidebarRoutes(app: App): readonly Route[] {
  const shown = routes.filter((route) => route.icon !== undefined && isShown(route, app));
  return [
    ...shown.filter(({ isLast }) => isLast !== true),
    ...shown.filter(({ isLast }) => isLast),
  ];
}

/** Where a page of the sidebar is: its address without the open rest. */
export function pathOf(route: Route): readonly string[] {
  return route.path.filter((part) => part !== '*');
}
