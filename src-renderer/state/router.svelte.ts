// Follows where in the app the person is, and leads elsewhere.
import { href, parseHash, type Place } from '../lib/address.ts';

export { href, type Place } from '../lib/address.ts';

export class Router {
  #place = $state.raw<Place>(parseHash(window.location.hash));

  get place(): Place {
    return this.#place;
  }

  /** Follows the address until disposed. */
  start(): () => void {
    const onChange = (): void => {
      this.#place = parseHash(window.location.hash);
    };
    onChange();
    window.addEventListener('hashchange', onChange);
    return () => window.removeEventListener('hashchange', onChange);
  }

  go(path: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): void {
    window.location.hash = href(path, query);
  }

  /** Changes the address without a step in the history: filters as they are typed. */
  replace(path: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): void {
    window.history.replaceState(null, '', href(path, query));
    this.#place = parseHash(window.location.hash);
  }
}
