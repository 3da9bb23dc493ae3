import type { Wish } from '../../contract/desktop.ts';
import { Emitter } from '../../domain/emitter.ts';

/** What the page is asked to do. What nobody has heard yet waits for the next page. */
export class Wishes {
  readonly #emitter = new Emitter<Wish>();
  readonly onDidWish = this.#emitter.event;
  #unheard: Wish[] = [];

  wish(one: Wish): void {
    if (this.#emitter.listenerCount > 0) this.#emitter.emit(one);
    else this.#unheard = [one];
  }

  /** Hands over what waits. Of several only the newest makes sense. */
  takeUnheard(): Wish[] {
    return this.#unheard.splice(0);
  }
}
