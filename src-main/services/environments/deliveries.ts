// Versions on their way to nodes: asked for once, on disk, taken up again after a restart of the
// core and whenever a node comes back.
import { isAppError } from '../../contract/errors.ts';
import { deliveryId, type DeliveryId } from '../../contract/environments.ts';
import type { NodeId } from '../../contract/ids.ts';
import {
  isCurrent,
  isOpen,
  type DeliveryRecord,
  type VersionRecord,
} from '../../domain/environments/environment.ts';
import { tagImage } from '../../domain/environments/names.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { ImageEngine, ImageInfo } from '../../runtimes/image-engine.ts';
import { KeyedLock } from '../../runtimes/keyed-lock.ts';
import { isOutOfReach } from '../attempts/attempt-driver.ts';
import { deliver, type DeliveryProgress } from './deliver.ts';
import type { EnvironmentBook } from './environment-book.ts';
import { imagesOf, nameOf, whyNot, type EnvironmentParts } from './ports.ts';

/** More at once would only share the way. */
const mostAtOnce = 2;
/** What waits for something nobody announces is tried again. */
const retryMs = 15_000;
/** How often progress is told at most. */
const tellMs = 250;

/** One reads images, or clears them away, at a time. */
const layersKey = 'layers';
const noProgress = { movedBytes: 0, totalBytes: null, layersMoved: 0, layersThere: 0 };

/** It cannot go on now and is taken up later: why. */
class NotNow extends Error {}

export class Deliveries implements AsyncDisposable {
  readonly #parts: EnvironmentParts;
  readonly #book: EnvironmentBook;
  readonly #running = new Map<DeliveryId, { stop: AbortController; done: Promise<void> }>();
  readonly #reading = new KeyedLock();
  readonly #ended = new Emitter<DeliveryRecord>();
  readonly #listening: Disposable[];
  /** Waiting ones that were tried since something changed. */
  readonly #tried = new Set<DeliveryId>();
  #isClosed = false;

  constructor(parts: EnvironmentParts, book: EnvironmentBook) {
    this.#parts = parts;
    this.#book = book;
    this.#listening = [
      parts.fleet.onDidComeOnline(() => this.wake()),
      parts.timers.every(retryMs, () => this.wake()),
    ];
    this.wake();
  }

  readonly onDidEnd = (listener: (record: DeliveryRecord) => void): Disposable =>
    this.#ended.event(listener);

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const one of this.#listening) one[Symbol.dispose]();
    const all = [...this.#running.values()];
    for (const { stop } of all) stop.abort();
    await Promise.allSettled(all.map(({ done }) => done));
  }

  /** Asks for a version on a node; one that is under way already is that one. Durable after `flushed`. */
  ask(environment: string, version: VersionRecord, nodeId: NodeId): DeliveryRecord {
    const open = this.#book
      .deliveriesOf(environment)
      .find((one) => isOpen(one) && one.versionId === version.id && one.nodeId === nodeId);
    if (open !== undefined) return open;
    const record: DeliveryRecord = {
      id: deliveryId.parse(this.#parts.newId()),
      environment,
      versionId: version.id,
      nodeId,
      state: 'waiting',
      words: 'waits for its turn',
      ...noProgress,
      createdAt: this.#parts.clock.now(),
    };
    this.#book.saveDelivery(record);
    return record;
  }

  async cancel(id: DeliveryId): Promise<DeliveryRecord | undefined> {
    const found = this.#book.delivery(id);
    if (found === undefined || !isOpen(found)) return found;
    const running = this.#running.get(id);
    const cancelled = { ...found, state: 'cancelled' as const, words: 'cancelled' };
    this.#end(cancelled);
    running?.stop.abort();
    await running?.done;
    await this.#parts.flushed();
    return cancelled;
  }

  /** Tries everything that waits. */
  wake(): void {
    this.#tried.clear();
    this.#next();
  }

  #next(): void {
    if (this.#isClosed) return;
    for (const record of this.#book.deliveries()) {
      if (this.#running.size >= mostAtOnce) return;
      if (!isOpen(record) || this.#running.has(record.id) || this.#tried.has(record.id)) continue;
      this.#tried.add(record.id);
      const stop = new AbortController();
      const done = this.#run(record, stop.signal).finally(() => {
        this.#running.delete(record.id);
        this.#next();
      });
      this.#running.set(record.id, { stop, done });
    }
    if (!this.#book.deliveries().some(isOpen)) void this.#clear();
  }

  /** Nobody waits for any of the layers that are kept. */
  #clear(): Promise<void> {
    return this.#reading.run(layersKey, async () => {
      if (this.#book.deliveries().some(isOpen)) return;
      await this.#parts.layers.clear().catch((error: unknown) => {
        this.#parts.log.warn({ err: error }, 'layers nobody needs could not be removed');
      });
    });
  }

  /** Never throws: the record says how it went. */
  async #run(record: DeliveryRecord, signal: AbortSignal): Promise<void> {
    let latest = record;
    try {
      latest = await this.#carry(record, signal, (progress) => {
        latest = { ...latest, ...progress };
      });
      if (!signal.aborted) this.#end({ ...latest, state: 'done', words: 'is there' });
    } catch (error) {
      if (signal.aborted) return;
      const { log } = this.#parts;
      if (error instanceof NotNow || isOutOfReach(error)) {
        const words = error instanceof Error ? error.message : 'it is out of reach';
        this.#book.saveDelivery({ ...latest, state: 'waiting', words: `waits: ${words}` });
        return;
      }
      if (!isAppError(error)) log.error({ err: error, delivery: record.id }, 'a delivery failed');
      const words = isAppError(error) ? error.message : 'It failed for a reason in the log.';
      this.#end({ ...latest, state: 'failed', words });
    }
  }

  async #carry(
    record: DeliveryRecord,
    signal: AbortSignal,
    note: (progress: DeliveryProgress) => void,
  ): Promise<DeliveryRecord> {
    const { fleet, layers, clock } = this.#parts;
    const { environment, nodeId } = record;
    const version = this.#book
      .find(environment)
      ?.versions.find(({ id }) => id === record.versionId);
    if (version === undefined) throw new NotNow('its version was removed.');
    const engine = imagesOf(fleet, nodeId);
    const node = nameOf(fleet, nodeId);
    if (engine === undefined) throw new NotNow(`${node}: ${whyNot(fleet.node(nodeId))}`);
    let shown = { ...record, state: 'moving' as const, words: `looking at ${node}` };
    this.#book.saveDelivery(shown);
    if ((await engine.image(version.imageId)) === undefined) {
      const from = await this.#source(version, nodeId);
      let toldAt = -Infinity;
      const progress = await deliver({
        version,
        from,
        to: { engine, name: node },
        layers,
        signal,
        alone: (work) => this.#reading.run(layersKey, work),
        onProgress: (next) => {
          note(next);
          const now = clock.monotonic();
          const isNews = next.words !== shown.words;
          shown = { ...shown, ...next };
          if (signal.aborted || (!isNews && now - toldAt < tellMs)) return;
          toldAt = now;
          this.#book.showDelivery(shown);
        },
      });
      shown = { ...shown, ...progress };
    } else shown = { ...shown, layersThere: version.layers, totalBytes: 0 };
    await this.#name(environment, version, engine);
    return shown;
  }

  /** The name for good, and the tag if it means this version. */
  async #name(environment: string, version: VersionRecord, engine: ImageEngine): Promise<void> {
    await engine.tag(version.imageId, version.image);
    const record = this.#book.find(environment);
    if (record === undefined || !isCurrent(record, version)) return;
    await engine.tag(version.imageId, tagImage(environment, version.tag));
  }

  /** A node that has it: where it was made, or any other. */
  async #source(
    version: VersionRecord,
    target: NodeId,
  ): Promise<{ engine: ImageEngine; name: string; info: ImageInfo }> {
    const { fleet } = this.#parts;
    const others = fleet.plannerNodes().map(({ id }) => id);
    const candidates = new Set([version.madeOnId, ...others]);
    candidates.delete(target);
    for (const id of candidates) {
      const engine = imagesOf(fleet, id);
      const info = await engine?.image(version.imageId).catch(() => undefined);
      if (engine !== undefined && info !== undefined)
        return { engine, name: nameOf(fleet, id), info };
    }
    throw new NotNow('no node that answers has it.');
  }

  #end(record: DeliveryRecord): void {
    // Cancelled meanwhile.
    if (this.#book.delivery(record.id)?.state === 'cancelled') return;
    this.#book.saveDelivery(record);
    this.#ended.emit(record);
  }
}
