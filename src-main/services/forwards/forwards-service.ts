// The forwards of this core: remembered, listening while it runs, taken up again after each loss.
import type {
  ForwardChange,
  ForwardId,
  ForwardSpec,
  ForwardView,
} from '../../contract/forwards.ts';
import type { NodeId } from '../../contract/ids.ts';
import type { Timers } from '../../domain/clock.ts';
import { Emitter, type Event } from '../../domain/emitter.ts';
import type { TerminalParts } from '../terminals/ports.ts';
import { ActiveForward } from './active-forward.ts';
import { cannotForward, UnknownForwardError } from './errors.ts';
import type { ForwardRecord, ForwardRecords } from './ports.ts';
import type { RelayScripts } from './udp-relay.ts';

export interface ForwardsParts {
  readonly terminals: TerminalParts;
  readonly records: ForwardRecords;
  readonly flushed: () => Promise<void>;
  readonly timers: Timers;
  /** resources/node/udp-relay.* */
  readonly relayScripts: RelayScripts;
  readonly newId: () => ForwardId;
  readonly onDidGoOffline: Event<{ readonly id: NodeId; readonly reason: string }>;
}

/** How often counts that have risen are told. */
const tellCountsMs = 1000;
/** What waits for a port to be free, or for a VPS to run, is not announced by anybody. */
const retryMs = 10_000;
const mostForwards = 500;

export class ForwardsService implements AsyncDisposable {
  readonly #parts: ForwardsParts;
  readonly #active = new Map<ForwardId, ActiveForward>();
  readonly #changed = new Emitter<ForwardChange>();
  readonly #listening: Disposable[];

  readonly onDidChange = this.#changed.event;

  constructor(parts: ForwardsParts) {
    this.#parts = parts;
    for (const record of parts.records.all()) this.#make(record);
    this.#listening = [
      parts.terminals.nodes.onDidComeOnline(() => this.#heal()),
      parts.onDidGoOffline(({ id, reason }) => this.#noteLoss(id, reason)),
      parts.timers.every(tellCountsMs, () => {
        for (const forward of this.#active.values()) forward.tellCounts();
      }),
      parts.timers.every(retryMs, () => {
        if ([...this.#active.values()].some(({ needsHealing }) => needsHealing)) this.#heal();
      }),
    ];
  }

  list(): ForwardView[] {
    return [...this.#active.values()].map((forward) => forward.view());
  }

  /** Opens a forward and remembers it. Throws what opening it throws; nothing is kept then. */
  async add(spec: ForwardSpec): Promise<ForwardView> {
    if (this.#active.size >= mostForwards) {
      throw cannotForward('There are too many forwards already; remove some first.', 'this core');
    }
    const { newId, terminals } = this.#parts;
    const createdAt = terminals.clock.now();
    const forward = this.#make({
      id: newId(),
      spec,
      localPort: null,
      isPaused: false,
      createdAt,
    });
    const problem = await forward.open();
    if (problem !== undefined) {
      await this.#drop(forward);
      throw problem instanceof Error
        ? problem
        : new Error('It could not be opened.', { cause: problem });
    }
    // Removed while it was opened: whoever did so was told that it is gone.
    if (!this.#active.has(forward.id)) throw new UnknownForwardError(forward.id);
    return this.#keep(forward);
  }

  async pause(reference: string): Promise<ForwardView> {
    const forward = this.#find(reference);
    await forward.pause();
    return this.#keep(forward);
  }

  /** Opens it again; where that fails its state says why, and it is tried again later. */
  async resume(reference: string): Promise<ForwardView> {
    const forward = this.#find(reference);
    if (!forward.isPaused) return forward.view();
    await forward.open();
    return this.#keep(forward);
  }

  async remove(reference: string): Promise<ForwardId> {
    const forward = this.#find(reference);
    this.#parts.records.remove(forward.id);
    await this.#drop(forward);
    await this.#parts.flushed();
    return forward.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#listening) one[Symbol.dispose]();
    await Promise.allSettled([...this.#active.values()].map((forward) => forward.close()));
    this.#active.clear();
  }

  #find(reference: string): ActiveForward {
    const forward = this.#active.get(reference as ForwardId);
    if (forward === undefined) throw new UnknownForwardError(reference);
    return forward;
  }

  async #keep(forward: ActiveForward): Promise<ForwardView> {
    // Removed meanwhile: it stays away.
    if (this.#active.has(forward.id)) this.#parts.records.save(forward.record());
    await this.#parts.flushed();
    return forward.view();
  }

  #make({ id, spec, localPort, isPaused, createdAt }: ForwardRecord): ActiveForward {
    const forward = new ActiveForward({
      id,
      spec,
      createdAt,
      rememberedPort: localPort,
      isPaused,
      terminals: this.#parts.terminals,
      timers: this.#parts.timers,
      relayScripts: this.#parts.relayScripts,
      onChange: () => {
        if (this.#active.has(id)) this.#changed.emit({ upsert: forward.view() });
      },
    });
    this.#active.set(id, forward);
    return forward;
  }

  async #drop(forward: ActiveForward): Promise<void> {
    this.#active.delete(forward.id);
    this.#changed.emit({ removed: forward.id });
    await forward.close();
  }

  /** Not one after the other: a node that does not answer must not keep those of others closed. */
  #heal(): void {
    for (const forward of this.#active.values()) if (forward.needsHealing) void forward.open();
  }

  #noteLoss(node: NodeId, reason: string): void {
    for (const forward of this.#active.values()) {
      if (forward.nodeId === node) forward.noteLoss(reason);
    }
  }
}
