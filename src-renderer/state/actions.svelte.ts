// What the command palette offers. Every area adds its actions, and a source for each kind of object
// it has; pages come from the table of routes.
import type { Component } from 'svelte';
import { Registry, type Registered } from './registry.svelte.ts';

export interface PaletteEntry {
  readonly id: string;
  readonly label: string;
  readonly icon: Component;
  /** Shown faintly behind the label, and searched too. */
  readonly note?: string;
  readonly run: () => void;
}

/** Something to do from anywhere. */
export interface Action extends PaletteEntry, Registered {
  /** As `shortcuts.ts` reads them: `c`, `g n`, `Mod+Shift+P`. Works wherever nobody types. */
  readonly keys?: string;
  /** Asked whenever the palette looks; left out means always. */
  readonly isShown?: () => boolean;
}

/** A kind of object to go to: nodes, tasks, VPS… */
interface SourceHeading extends Registered {
  /** The heading above what it finds. */
  readonly title: string;
}
/** Objects the page already knows: answers at once, and again when they change. */
export interface KnownObjects extends SourceHeading {
  /** Those that answer to a typed text (trimmed, lower case, may be empty); at most about 8. */
  readonly known: (text: string) => readonly PaletteEntry[];
}
/** Objects the core has to look for, while the person types. */
export interface SoughtObjects extends SourceHeading {
  readonly find: (text: string, signal: AbortSignal) => Promise<readonly PaletteEntry[]>;
}
export type PaletteSource = KnownObjects | SoughtObjects;

export class Actions {
  readonly #actions = new Registry<Action>();
  readonly #sources = new Registry<PaletteSource>();

  get list(): readonly Action[] {
    return this.#actions.items;
  }

  get sources(): readonly PaletteSource[] {
    return this.#sources.items;
  }

  /** Adds actions until what it returns is called. */
  add(...actions: readonly Action[]): () => void {
    return this.#actions.add(...actions);
  }

  addSource(source: PaletteSource): () => void {
    return this.#sources.add(source);
  }
}

/** Whether every word typed is found in an entry. */
export function answers(entry: PaletteEntry, text: string): boolean {
  const hay = `${entry.label} ${entry.note ?? ''}`.toLowerCase();
  return text.split(/\s+/).every((word) => hay.includes(word));
}
