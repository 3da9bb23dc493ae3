// Every setting of the core, as a list of groups; each is stored when it is left.
import type { SettingView } from '../../src-main/contract/settings.ts';
import type { CoreClient } from '../lib/client.ts';
import { toProblem, type Problem } from '../lib/problem.ts';

export class SettingsState {
  readonly #client: CoreClient;
  #list = $state.raw<readonly SettingView[] | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);
  #problems = $state.raw<Readonly<Record<string, Problem>>>({});

  readonly groups = $derived(
    Object.entries(Object.groupBy(this.#list ?? [], ({ group }) => group)),
  );

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get isLoaded(): boolean {
    return this.#list !== undefined;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  problemOf(key: string): Problem | undefined {
    return this.#problems[key];
  }

  async load(): Promise<void> {
    try {
      this.#list = await this.#client.api.config.list();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = toProblem(error);
    }
  }

  /** Stores a value; what is wrong with it is shown at its field. */
  async set(key: string, value: unknown): Promise<boolean> {
    return this.#change(key, () => this.#client.api.config.set({ key, value }));
  }

  async reset(key: string): Promise<boolean> {
    return this.#change(key, () => this.#client.api.config.reset({ key }));
  }

  async #change(key: string, work: () => Promise<SettingView>): Promise<boolean> {
    const { [key]: _, ...others } = this.#problems;
    try {
      const next = await work();
      this.#list = this.#list?.map((view) => (view.key === key ? next : view));
      this.#problems = others;
      return true;
    } catch (error) {
      this.#problems = { ...others, [key]: toProblem(error) };
      return false;
    }
  }
}
