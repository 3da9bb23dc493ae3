// A long list whose rows are all of one height: only those in sight are drawn, and a few more. Their
// places are a multiplication, so that a hundred thousand of them cost no more than ten.
import { tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';

interface LongListOptions {
  /** Pixels. */
  readonly rowHeight: number;
  /** How many rows there are; may be reactive. */
  readonly count: () => number;
  /** Rows drawn beyond those in sight, on each side. */
  readonly spare: number;
}

export class LongList {
  readonly #options: LongListOptions;
  #viewport: HTMLElement | undefined;
  /** The first row in sight, and how many are. */
  #top = $state(0);
  #inSight = $state(0);

  readonly #drawn = $derived.by(() => {
    const count = this.#options.count();
    if (this.#inSight === 0) return 0;
    return Math.min(count, this.#inSight + 2 * this.#options.spare);
  });
  /** The first row that is drawn. */
  readonly first = $derived.by(() => {
    const last = this.#options.count() - this.#drawn;
    return Math.max(0, Math.min(last, this.#top - this.#options.spare));
  });
  /** The last row that is drawn; -1 while there is none. */
  readonly last = $derived(this.first + this.#drawn - 1);
  /** The rows that are drawn, by their place in the list. */
  readonly shown: readonly number[] = $derived(
    Array.from({ length: this.#drawn }, (_, i) => this.first + i),
  );
  /**
   * The same, so that each stays where it is in this array for as long as it is drawn: drawn in this
   * order, a row that leaves at one end becomes the one that comes at the other, and none moves.
   */
  readonly slots: readonly number[] = $derived.by(() => {
    const slots: number[] = [];
    for (const at of this.shown) slots[at % this.#drawn] = at;
    return slots;
  });

  constructor(options: LongListOptions) {
    this.#options = options;
  }

  /** Pixels of the whole list. */
  get height(): number {
    return this.#options.count() * this.#options.rowHeight;
  }

  /** Pixels above a row. */
  topOf(at: number): number {
    return at * this.#options.rowHeight;
  }

  /** How far PageUp and PageDown go. */
  get page(): number {
    return Math.max(1, Math.floor(this.#heightOfViewport() / this.#options.rowHeight) - 1);
  }

  /** What scrolls: `{@attach list.viewport}`. */
  readonly viewport: Attachment<HTMLElement> = (element) => {
    this.#viewport = element;
    const onScroll = (): void => this.#look();
    const measure = (height: number): void => {
      this.#inSight = Math.ceil(height / this.#options.rowHeight) + (height > 0 ? 1 : 0);
    };
    measure(element.offsetHeight);
    onScroll();
    const sizes = new ResizeObserver(([entry]) => measure(entry?.contentRect.height ?? 0));
    sizes.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', onScroll);
      this.#viewport = undefined;
    };
  };

  /** Scrolls as little as brings a row into sight. */
  scrollTo(at: number): void {
    const element = this.#viewport;
    if (element === undefined) return;
    const above = this.topOf(at);
    const below = above + this.#options.rowHeight - this.#heightOfViewport();
    if (element.scrollTop > above) element.scrollTop = above;
    else if (element.scrollTop < below) element.scrollTop = below;
    this.#look();
  }

  /**
   * Scrolls to a row and gives it the focus; its element says `data-row`. It has it before the next key is
   * heard, however busy the page is: between two frames there may be several.
   */
  focus(at: number): void {
    this.scrollTo(at);
    void tick().then(() =>
      this.#viewport
        ?.querySelector<HTMLElement>(`[data-row="${at}"]`)
        ?.focus({ preventScroll: true }),
    );
  }

  #look(): void {
    this.#top = Math.floor((this.#viewport?.scrollTop ?? 0) / this.#options.rowHeight);
  }

  #heightOfViewport(): number {
    return this.#viewport?.offsetHeight ?? 400;
  }
}
