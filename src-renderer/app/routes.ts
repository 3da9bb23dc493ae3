// Every page of the app: one entry here is a page with its title, its place in the sidebar and the
// palette, and what it takes; `page-code.ts` has its code by its address.
import type { Component, ComponentProps } from 'svelte';
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
import { fits, partsOf, type pageCode, type PageAddress, type PageProps } from './page-code.ts';

export interface Route {
  readonly address: PageAddress;
  /** Parts of the address: words, `:name` for any one part, `*` at the end for any rest. */
  readonly path: readonly string[];
  readonly title: string;
  /** The sidebar entry that is lit: the first part of the address. */
  readonly area: string;
  /** A page with an icon has a place in the sidebar and the palette. */
  readonly icon?: Component;
  /** Stands below the others in the sidebar. */
  readonly isLast?: boolean;
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

type PropsOf<A extends PageAddress> = ComponentProps<
  Awaited<ReturnType<(typeof pageCode)[A]>>['default']
>;
interface PageSpec<A extends PageAddress> extends Partial<
  Pick<Route, 'icon' | 'isLast' | 'isShown' | 'keys' | 'count' | 'key'>
> {
  title: string;
  props: (place: Place) => PropsOf<A>;
}

/** A page at an address such as `nodes/:ref/*`. */
function page<A extends PageAddress>(address: A, spec: PageSpec<A>): Route {
  const path = partsOf(address);
  return {
    // The address's own variables decide whether it is the same page.
    key: (place) =>
      path.map((part, at) => (part.startsWith(':') ? place.path[at] : part)).join('/'),
    ...spec,
    address,
    path,
    area: path[0] ?? '',
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
    props: none,
  }),
  page('nodes', {
    title: titles.nodes,
    icon: Server,
    keys: 'g n',
    props: none,
    count: ({ fleet }) => (fleet.isLoaded ? fleet.nodes.length : undefined),
  }),
  page('nodes/:ref/*', {
    title: titles.nodes,
    props: ({ path }) => ({ nodeRef: path[1] ?? '' }),
  }),
  page('gpus', {
    title: titles.gpus,
    icon: Gpu,
    keys: 'g g',
    props: none,
    count: ({ fleet }) => someOf(fleet.gpuCount),
  }),
  page('gpus/:uuid', {
    title: titles.gpus,
    props: ({ path }) => ({ uuid: path[1] ?? '' }),
  }),
  page('tasks', {
    title: titles.tasks,
    icon: ListTodo,
    keys: 'g t',
    props: none,
    count: ({ core }) => {
      const { RUNNING = 0, ASSIGNING = 0, PAUSED = 0 } = core?.tasks ?? {};
      return someOf(RUNNING + ASSIGNING + PAUSED);
    },
  }),
  page('tasks/new', {
    title: titles.newTask,
    props: ({ query }) => ({ from: query['from'], sample: query['sample'] }),
    // Asking for a new task again is another form.
    key: (place) => place,
  }),
  page('tasks/:ref/*', {
    title: titles.tasks,
    props: ({ path }) => ({ taskRef: path[1] ?? '' }),
  }),
  page('queue', {
    title: titles.queue,
    icon: ListOrdered,
    props: none,
    count: ({ core }) => someOf(core?.tasks.PENDING),
  }),
  page('batches', {
    title: titles.batches,
    icon: Boxes,
    props: none,
  }),
  page('vps', {
    title: titles.vps,
    icon: Monitor,
    props: none,
  }),
  page('vps/:ref/*', {
    title: titles.vps,
    props: ({ path }) => ({ vpsRef: path[1] ?? '' }),
  }),
  page('files', {
    title: titles.files,
    icon: FolderTree,
    keys: 'g f',
    props: ({ query }) => ({ node: query['node'], task: query['task'], path: query['path'] }),
    // One page for the whole visit: its panes stay where they are.
    key: () => 'files',
  }),
  page('files/workspace', {
    title: titles.workspace,
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
    props: none,
  }),
  page('environments/:name', {
    title: titles.environments,
    props: ({ path }) => ({ name: path[1] ?? '' }),
  }),
  page('diagnostics', {
    title: titles.diagnostics,
    icon: Activity,
    keys: 'g d',
    isLast: true,
    props: none,
  }),
  page('settings/*', {
    title: titles.settings,
    icon: Settings,
    keys: 'g s',
    isLast: true,
    props: none,
  }),
];

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
