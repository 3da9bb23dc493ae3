// The panel under the pages: terminals, transfers… It stays while pages change, keeps what its tabs
// show alive while it is closed, and is not there at all while nobody offers a tab.
import type { Component } from 'svelte';
import { Registry, type Registered } from './registry.svelte.ts';

export interface PanelTab extends Registered {
  readonly title: string;
  readonly icon: Component;
  /** Mounted when first looked at, kept until the tab is taken away. */
  readonly component: Component;
  /** A figure beside the title, such as how many run. */
  readonly count?: () => number | undefined;
}

const heightKey = 'kohakuriver.panel-height';
export const panelHeights = { least: 120, usual: 280 };

export class BottomPanel {
  readonly #tabs = new Registry<PanelTab>();
  #isOpen = $state(false);
  #active = $state<string | undefined>(undefined);
  #height = $state(keptHeight());
  #isFull = $state(false);

  get tabs(): readonly PanelTab[] {
    return this.#tabs.items;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.tabs.length > 0;
  }

  /** The tab that is looked at; the first one when the last choice is gone. */
  get active(): string | undefined {
    return (this.tabs.find(({ id }) => id === this.#active) ?? this.tabs[0])?.id;
  }

  /** Px. */
  get height(): number {
    return this.#height;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  addTab(tab: PanelTab): () => void {
    return this.#tabs.add(tab);
  }

  /** Opens the panel, at a tab if one is named. */
  open(id?: string): void {
    if (id !== undefined) this.#active = id;
    this.#isOpen = true;
  }

  close(): void {
    this.#isOpen = false;
    this.#isFull = false;
  }

  toggle(): void {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** Sets the height, kept for the next start; the shell limits it to what the window has. */
  resize(height: number): void {
    this.#height = Math.max(panelHeights.least, Math.round(height));
    this.#isFull = false;
    localStorage.setItem(heightKey, String(this.#height));
  }

  toggleFull(): void {
    this.#isFull = !this.#isFull;
  }
}

function keptHeight(): number {
  const kept = Number(localStorage.getItem(heightKey));
  return Number.isFinite(kept) && kept >= panelHeights.least ? kept : panelHeights.usual;
}
