// Light, dark, or as the system has it. Kept by the core as the setting `ui.theme`; a copy in the
// page's own storage lets the first paint have the right colours.
import type { CoreClient } from '../lib/client.ts';

export const themeChoices = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const storageKey = 'kohakuriver.theme';

function isChoice(value: unknown): value is ThemeChoice {
  return (themeChoices as readonly unknown[]).includes(value);
}

export class Theme {
  #choice = $state<ThemeChoice>('system');
  #systemIsDark = $state(false);
  #wasChosen = false;
  readonly #client: CoreClient;

  constructor(client: CoreClient) {
    this.#client = client;
    const kept = window.localStorage.getItem(storageKey);
    this.#show(isChoice(kept) ? kept : 'system');
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** Which of the two is on screen; canvases (charts, terminals) draw again when it changes. */
  readonly shown: 'light' | 'dark' = $derived(
    this.#choice === 'system' ? (this.#systemIsDark ? 'dark' : 'light') : this.#choice,
  );

  /** Follows the system's choice until disposed. */
  start(): () => void {
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    const onChange = (): void => {
      this.#systemIsDark = dark.matches;
    };
    onChange();
    dark.addEventListener('change', onChange);
    return () => dark.removeEventListener('change', onChange);
  }

  /** Takes over what the core has. */
  async load(): Promise<void> {
    const { value } = await this.#client.api.config.get({ key: 'ui.theme' });
    // Whoever has chosen meanwhile means it.
    if (isChoice(value) && !this.#wasChosen) this.#show(value);
  }

  /** Shows a theme at once and has the core keep it. Throws what the core answers. */
  async choose(choice: ThemeChoice): Promise<void> {
    this.#wasChosen = true;
    this.#show(choice);
    await this.#client.api.config.set({ key: 'ui.theme', value: choice });
  }

  /** The setting was changed elsewhere on the page. */
  adopt(value: unknown): void {
    this.#wasChosen = false;
    if (isChoice(value)) this.#show(value);
  }

  #show(choice: ThemeChoice): void {
    this.#choice = choice;
    window.localStorage.setItem(storageKey, choice);
    if (choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = choice;
  }
}
