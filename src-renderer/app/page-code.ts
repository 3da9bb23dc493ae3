// The code of each page by its address, fetched when it is first wanted. Little else is here, so that
// the page one begins on is fetched beside the app and not after it.
import type { Component } from 'svelte';
import { fetchAgain } from '../lib/fetch-again.ts';

/** An address has words, `:name` for any one part, and `*` at the end for any rest. The first that fits counts. */
export const pageCode = {
  '': () => import('../pages/overview/OverviewPage.svelte'),
  nodes: () => import('../pages/nodes/NodesPage.svelte'),
  'nodes/:ref/*': () => import('../pages/nodes/NodePage.svelte'),
  gpus: () => import('../pages/gpus/GpusPage.svelte'),
  'gpus/:uuid': () => import('../pages/gpus/GpuPage.svelte'),
  tasks: () => import('../pages/tasks/TasksPage.svelte'),
  'tasks/new': () => import('../pages/tasks/SubmitPage.svelte'),
  'tasks/:ref/*': () => import('../pages/tasks/TaskPage.svelte'),
  queue: () => import('../pages/queue/QueuePage.svelte'),
  batches: () => import('../pages/batches/BatchesPage.svelte'),
  vps: () => import('../pages/vps/VpsListPage.svelte'),
  'vps/:ref/*': () => import('../pages/vps/VpsDetailPage.svelte'),
  files: () => import('../pages/files/FilesPage.svelte'),
  'files/workspace': () => import('../pages/workspace/WorkspacePage.svelte'),
  environments: () => import('../pages/environments/EnvironmentsPage.svelte'),
  'environments/:name': () => import('../pages/environments/EnvironmentPage.svelte'),
  diagnostics: () => import('../pages/diagnostics/DiagnosticsPage.svelte'),
  'settings/*': () => import('../pages/settings/SettingsPage.svelte'),
} as const;

export type PageAddress = keyof typeof pageCode;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what Svelte asks of any component's props
export type PageProps = Record<string, any>;
type Page = Component<PageProps>;

const fetched = new Map<PageAddress, Page>();

/** Fetches a page's code once. Rejects when it cannot be had; then it may be tried again. */
export async function fetchPage(address: PageAddress): Promise<void> {
  if (fetched.has(address)) return;
  // What a page takes is what its entry in the table of routes makes: that table's types say so.
  const load: () => Promise<{ default: unknown }> = pageCode[address];
  fetched.set(address, (await fetchAgain(load)).default as Page);
}

/** A page that was fetched. */
export function fetchedPage(address: PageAddress): Page | undefined {
  return fetched.get(address);
}

/** The parts of an address: `nodes/:ref/*` as ['nodes', ':ref', '*']. */
export function partsOf(address: string): readonly string[] {
  return address.split('/').filter((part) => part !== '');
}

/** Whether a place has an address of this pattern. */
export function fits(pattern: readonly string[], path: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '*';
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  if (isOpen ? path.length < fixed.length : path.length !== fixed.length) return false;
  return fixed.every((part, at) => part.startsWith(':') || part === path[at]);
}

/** The page at a place; undefined where there is none. */
export function pageAt(path: readonly string[]): PageAddress | undefined {
  return (Object.keys(pageCode) as PageAddress[]).find((address) => fits(partsOf(address), path));
}
