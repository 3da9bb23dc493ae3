import type { Shape } from './shape.ts';

/** Room is kept for so many of the first that wait. */
const most = 8;

/** The first tasks of a pass that do not fit, and the shapes of which the pass may still do something. */
export class Heads {
  readonly #open: Set<Shape>;
  readonly #hopeless = new Set<Shape>();
  /** So many were found. */
  count = 0;

  constructor(shapes: Iterable<Shape>) {
    this.#open = new Set(shapes);
  }

  get isFull(): boolean {
    return this.count >= most;
  }

  /** Something may still be placed, or have room kept. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Whether room may be kept for one of a shape. */
  mayTake(shape: Shape): boolean {
    return !this.isFull && !this.#hopeless.has(shape);
  }

  /** No node is left on which room could be kept for its like. */
  giveUp(shape: Shape): void {
    this.#hopeless.add(shape);
  }

  /** What fits nowhere needs no looking at any more: nothing frees within a pass. */
  closeAllBut(fits: (shape: Shape) => boolean): void {
    for (const shape of this.#open) if (!fits(shape)) this.#open.delete(shape);
  }
}
