// The places a pane can show: the core's computer, nodes, and containers that run.
import type { FilePlace } from '../../src-main/contract/files.ts';
import type { TaskView } from '../../src-main/contract/task.ts';
import { files as words } from '../lib/texts/files.ts';
import type { App } from './app.svelte.ts';
import { VpsList } from './vps-list.svelte.ts';

export interface PlaceOption {
  readonly value: string;
  readonly label: string;
  readonly note?: string;
}

/** Of so many tasks the containers are offered: the newest. */
const mostTasks = 100;

export class FilePlaces {
  readonly #app: App;
  readonly #vps = new VpsList();
  #tasks = $state.raw<readonly TaskView[]>([]);

  readonly options: readonly PlaceOption[] = $derived.by(() => [
    this.#here(),
    ...this.#app.fleet.nodes
      .filter(({ local }) => !local)
      .map(({ id, name, state }) => ({
        value: `node:${id}`,
        label: name,
        note: state === 'online' ? 'node' : state,
      })),
    ...this.#vps.all
      .filter(({ status }) => status === 'RUNNING')
      .map(({ id, name }) => ({ value: `task:${id}`, label: name, note: 'VPS' })),
    ...this.#tasks.map(({ id, name }) => ({
      value: `task:${id}`,
      label: name ?? id,
      note: 'task',
    })),
  ]);

  constructor(app: App) {
    this.#app = app;
  }

  /** Follows what runs until disposed. */
  start(): () => void {
    return this.#vps.start(this.#app.client);
  }

  /** Asks which tasks run in containers. */
  async loadTasks(): Promise<void> {
    const { rows } = await this.#app.client.api.tasks.list({
      filter: { statuses: ['RUNNING', 'PAUSED'] },
      limit: mostTasks,
    });
    this.#tasks = rows.filter(({ type, runtime }) => type === 'command' && runtime === 'docker');
  }

  /** What people call a place. */
  label(place: FilePlace): string {
    const value = valueOfPlace(place);
    return this.options.find((option) => option.value === value)?.label ?? value;
  }

  /** The core's computer is the one people sit at only in the desktop app that runs it. */
  #here(): PlaceOption {
    const { core, desktop, fleet } = this.#app;
    const label = fleet.nodes.find(({ local }) => local)?.name ?? core?.hostname ?? words.core;
    const isOwn = desktop?.current?.id === 'here';
    return { value: 'here', label, note: isOwn ? words.here : words.core };
  }
}

export function valueOfPlace(place: FilePlace): string {
  switch (place.kind) {
    case 'here':
      return 'here';
    case 'node':
      return `node:${place.node}`;
    case 'task':
      return `task:${place.task}`;
  }
}

export function placeOfValue(value: string): FilePlace {
  if (value.startsWith('node:')) return { kind: 'node', node: value.slice(5) };
  if (value.startsWith('task:')) return { kind: 'task', task: value.slice(5) };
  return { kind: 'here' };
}
