// The terminals of the core as this window shows them: every one is a tab, or a pane beside another.
import type {
  TerminalChange,
  TerminalId,
  TerminalTarget,
  TerminalView,
} from '../../src-main/contract/terminals.ts';
import type { CoreClient } from '../lib/client.ts';

/** Panes side by side under one tab. */
export interface TerminalGroup {
  readonly id: string;
  readonly panes: readonly TerminalId[];
}

export interface TerminalOpening {
  readonly where?: 'tab' | 'beside';
  readonly folder?: string | null;
}

const layoutKey = 'kohakuriver.terminal-groups';
const fontKey = 'kohakuriver.terminal-font-size';
export const fontSizes = { least: 8, usual: 13, most: 28 };
const mostPanes = 4;

export class Terminals {
  #client: CoreClient | undefined;
  #views = $state.raw<ReadonlyMap<TerminalId, TerminalView>>(new Map());
  #groups = $state.raw<readonly TerminalGroup[]>(keptGroups());
  #activeGroup = $state<string | undefined>(undefined);
  #activePane = $state<TerminalId | undefined>(undefined);
  #fontSize = $state(keptFontSize());

  readonly groups: readonly TerminalGroup[] = $derived(
    arranged(this.#groups, [...this.#views.keys()]),
  );
  readonly group = $derived(
    this.groups.find(({ id }) => id === this.#activeGroup) ?? this.groups.at(-1),
  );
  readonly count = $derived(this.#views.size);

  get fontSize(): number {
    return this.#fontSize;
  }

  /** The pane that is worked in. */
  get active(): TerminalId | undefined {
    const panes = this.group?.panes ?? [];
    return panes.find((id) => id === this.#activePane) ?? panes[0];
  }

  view(id: TerminalId): TerminalView | undefined {
    return this.#views.get(id);
  }

  /** Follows the core's terminals until disposed. */
  start(client: CoreClient, onError: (error: unknown) => void): () => void {
    this.#client = client;
    const feed = client.feed<TerminalView[], TerminalChange>(
      (api, signal) => api.terminals.watch(undefined, { signal }),
      {
        onSnapshot: (views) => (this.#views = new Map(views.map((view) => [view.id, view]))),
        onChange: (change) => this.#take(change),
        onError,
      },
    );
    return () => feed[Symbol.dispose]();
  }

  /** Opens one, in a tab of its own or beside the pane that is worked in; in a folder if one is named. */
  async open(
    target: TerminalTarget,
    { where = 'tab', folder = null }: TerminalOpening = {},
  ): Promise<TerminalId> {
    const view = await this.#need().api.terminals.open({ target, folder });
    this.#take({ upsert: view });
    const beside = where === 'beside' ? this.group : undefined;
    const groups = this.groups.filter(({ panes }) => !panes.includes(view.id));
    this.#arrange(
      beside === undefined || beside.panes.length >= mostPanes
        ? [...groups, { id: view.id, panes: [view.id] }]
        : groups.map((group) =>
            group.id === beside.id ? { ...group, panes: [...group.panes, view.id] } : group,
          ),
    );
    this.select(view.id);
    return view.id;
  }

  select(pane: TerminalId): void {
    this.#activeGroup = this.groups.find(({ panes }) => panes.includes(pane))?.id;
    this.#activePane = pane;
  }

  async close(id: TerminalId): Promise<void> {
    await this.#need().api.terminals.close({ terminal: id });
    this.#take({ removed: id });
  }

  async rename(id: TerminalId, name: string): Promise<void> {
    const given = name.trim() === '' ? null : name.trim();
    this.#take({ upsert: await this.#need().api.terminals.rename({ terminal: id, name: given }) });
  }

  setFontSize(size: number): void {
    this.#fontSize = Math.min(fontSizes.most, Math.max(fontSizes.least, size));
    localStorage.setItem(fontKey, String(this.#fontSize));
  }

  #take(change: TerminalChange): void {
    const views = new Map(this.#views);
    if ('upsert' in change) views.set(change.upsert.id, change.upsert);
    else views.delete(change.removed);
    this.#views = views;
  }

  #arrange(groups: readonly TerminalGroup[]): void {
    this.#groups = groups;
    sessionStorage.setItem(layoutKey, JSON.stringify(groups));
  }

  #need(): CoreClient {
    if (this.#client === undefined) throw new Error('Terminals were used before they started.');
    return this.#client;
  }
}

/** What a tab is called: the person's word, the program's, or the place. */
export function titleOf(view: TerminalView): string {
  return view.name ?? (view.title === '' ? view.place : view.title);
}

/** The groups with the terminals that are there, and a tab of its own for each that is in none. */
function arranged(
  groups: readonly TerminalGroup[],
  ids: readonly TerminalId[],
): readonly TerminalGroup[] {
  const there = new Set(ids);
  const kept = groups
    .map((group) => ({ ...group, panes: group.panes.filter((id) => there.has(id)) }))
    .filter(({ panes }) => panes.length > 0);
  const placed = new Set(kept.flatMap(({ panes }) => panes));
  const rest = ids.filter((id) => !placed.has(id)).map((id) => ({ id, panes: [id] }));
  return [...kept, ...rest];
}

function keptGroups(): readonly TerminalGroup[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(layoutKey) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isGroup) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function isGroup(value: unknown): value is TerminalGroup {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('panes' in value)) {
    return false;
  }
  const { id, panes } = value;
  return (
    typeof id === 'string' && Array.isArray(panes) && panes.every((p) => typeof p === 'string')
  );
}

function keptFontSize(): number {
  const kept = Number(localStorage.getItem(fontKey));
  return kept >= fontSizes.least && kept <= fontSizes.most ? kept : fontSizes.usual;
}
