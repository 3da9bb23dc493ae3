// Light, dark, or as the system has it. Kept by the core as the setting `ui.theme`; a copy in the
// page's own storage lets the first paint have the right colours.
import type { CoreClient } from '../lib/client.ts';
import { isThemeChoice, keptTheme, showTheme, type ThemeChoice } from '../lib/theme-choice.ts';

export class Theme {
  #choice = $state<ThemeChoice>('system');
  #systemIsDark = $state(false);
  #wasChosen = false;
  readonly #client: CoreClient;

  constructor(client: CoreClient) {
    this.#client = client;
    this.#show(keptTheme());
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
    if (isThemeChoice(value) && !this.#wasChosen) this.#show(value);
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
    if (isThemeChoice(value)) this.#show(value);
  }

  #show(choice: ThemeChoice): void {
    this.#choice = choice;
    showTheme(choice);
  }
}
