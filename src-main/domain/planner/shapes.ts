// The shapes of which tasks wait, and of which some waited lately.
import type { QueuedTask } from './model.ts';
import { needHash, needsSame } from './need.ts';
import { Shape } from './shape.ts';

/** Empty shapes kept for the next task of their kind, so that its nodes need not all be measured again. */
const idleShapes = 256;

export class Shapes {
  /** By `needHash`: tasks with the same hash mostly need the same. */
  readonly #shapes = new Map<number, Shape[]>();
  #count = 0;

  *[Symbol.iterator](): Iterator<Shape> {
    for (const alike of this.#shapes.values()) yield* alike;
  }

  /** The shape of a task, made where none is known. */
  of(task: QueuedTask): Shape {
    const hash = needHash(task);
    const alike = this.#shapes.get(hash);
    for (let at = 0; alike !== undefined && at < alike.length; at += 1) {
      const known = alike[at];
      if (known !== undefined && needsSame(known.sample, task)) return known;
    }
    const shape = new Shape(task);
    if (alike === undefined) this.#shapes.set(hash, [shape]);
    else alike.push(shape);
    this.#count += 1;
    return shape;
  }

  /** Forgets a shape of which nothing waits, where many are known. */
  dropIfIdle(shape: Shape): void {
    if (shape.size > 0 || this.#count <= idleShapes) return;
    const hash = needHash(shape.sample);
    const others = this.#shapes.get(hash)?.filter((other) => other !== shape) ?? [];
    if (others.length === 0) this.#shapes.delete(hash);
    else this.#shapes.set(hash, others);
    this.#count -= 1;
  }
}
