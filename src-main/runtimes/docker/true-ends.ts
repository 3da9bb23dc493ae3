// What really ended a container, where the Engine does not say it: its node that went down, or the kernel that took
// its memory.
import { AppError } from '../../contract/errors.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { mayBeOom, toldAsOom, type Asking } from './late-oom.ts';
import { mayBeLost, readEngineLife, toldAsLost, type EngineLife } from './lost-containers.ts';
import type { FoundContainer } from './observed.ts';

/** For one connection to one Engine. */
export class TrueEnds {
  readonly #asking: Asking;
  readonly #link: NodeLink;
  /** Asked for once: a connection does not outlive its node's or its Engine's restart. */
  #life: Promise<EngineLife> | undefined;

  constructor(asking: Asking, link: NodeLink) {
    this.#asking = asking;
    this.#link = link;
  }

  /** The container with its end as it was. Throws what an Engine or a link that is gone means. */
  async tell(found: FoundContainer): Promise<FoundContainer> {
    if (!mayBeLost(found.attempt)) return found;
    const attempt = toldAsLost(found.attempt, await this.life());
    if (!mayBeOom(attempt)) return { ...found, attempt };
    return { ...found, attempt: await toldAsOom(this.#asking, { id: found.id, attempt }) };
  }

  /** A node whose shell does not answer is followed all the same: its ends are then told as Docker has them. */
  async life(): Promise<EngineLife> {
    this.#life ??= readEngineLife(this.#link);
    try {
      return await this.#life;
    } catch (error) {
      if (!(error instanceof AppError) || !this.#link.isOpen) throw error;
      this.#life = undefined;
      return { nodeSince: null, engineSince: null };
    }
  }
}
