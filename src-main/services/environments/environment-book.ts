// Environments and deliveries in memory, with what is known of them for the moment only; the store
// is their memory, this its working copy.
import type {
  Delivery,
  DeliveryId,
  EnvironmentBuild,
  EnvironmentChange,
  EnvironmentView,
} from '../../contract/environments.ts';
import {
  isCurrent,
  isOpen,
  type BuildRecord,
  type DeliveryRecord,
  type EnvironmentRecord,
} from '../../domain/environments/environment.ts';
import { Emitter } from '../../domain/emitter.ts';
import { buildContainerName } from '../../domain/environments/names.ts';
import { UnknownEnvironmentError } from './errors.ts';
import { nameOf, type EnvironmentParts } from './ports.ts';

/** How far a build is, while it is worked on. */
export interface Progress {
  readonly phase: string | null;
  readonly isRunning: boolean;
  readonly output: readonly string[];
}

const idle: Progress = { phase: null, isRunning: false, output: [] };
/** Ended deliveries are kept for a look, so many of each environment. */
const keptDeliveries = 20;

type BookParts = Pick<EnvironmentParts, 'records' | 'fleet'>;

export class EnvironmentBook {
  readonly #parts: BookParts;
  readonly #environments = new Map<string, EnvironmentRecord>();
  readonly #deliveries = new Map<DeliveryId, DeliveryRecord>();
  readonly #progress = new Map<string, Progress>();
  readonly #changed = new Emitter<EnvironmentChange>();
  readonly onDidChange = this.#changed.event;

  constructor(parts: BookParts) {
    this.#parts = parts;
    for (const record of parts.records.all()) this.#environments.set(record.name, record);
    for (const record of parts.records.deliveries()) this.#deliveries.set(record.id, record);
  }

  all(): readonly EnvironmentRecord[] {
    return [...this.#environments.values()];
  }

  find(name: string): EnvironmentRecord | undefined {
    return this.#environments.get(name);
  }

  /** Throws UnknownEnvironmentError. */
  need(name: string): EnvironmentRecord {
    const found = this.find(name);
    if (found === undefined) throw new UnknownEnvironmentError(name);
    return found;
  }

  save(record: EnvironmentRecord): void {
    this.#environments.set(record.name, record);
    this.#parts.records.save(record);
    this.tell(record.name);
  }

  /** Changes the build of one that is still being made the same way; false when it is not. */
  changeBuild(name: string, expected: BuildRecord, change: Partial<BuildRecord>): boolean {
    const found = this.find(name);
    if (found?.build !== expected) return false;
    this.save({ ...found, build: { ...expected, ...change } });
    return true;
  }

  remove(name: string): void {
    this.#environments.delete(name);
    this.#progress.delete(name);
    this.#parts.records.remove(name);
    for (const { id } of this.deliveriesOf(name)) this.#dropDelivery(id);
    this.#changed.emit({ removed: name });
  }

  setProgress(name: string, progress: Partial<Progress>): void {
    this.#progress.set(name, { ...(this.#progress.get(name) ?? idle), ...progress });
    this.tell(name);
  }

  delivery(id: DeliveryId): DeliveryRecord | undefined {
    return this.#deliveries.get(id);
  }

  deliveries(): readonly DeliveryRecord[] {
    return [...this.#deliveries.values()];
  }

  deliveriesOf(environment: string): readonly DeliveryRecord[] {
    return this.deliveries().filter((one) => one.environment === environment);
  }

  saveDelivery(record: DeliveryRecord): void {
    this.#deliveries.set(record.id, record);
    this.#parts.records.saveDelivery(record);
    const ended = this.deliveriesOf(record.environment).filter((one) => !isOpen(one));
    for (const { id } of ended.slice(0, -keptDeliveries)) this.#dropDelivery(id);
    this.tell(record.environment);
  }

  /** How far it is, for those who look; not kept. */
  showDelivery(record: DeliveryRecord): void {
    this.#deliveries.set(record.id, record);
    this.tell(record.environment);
  }

  tell(name: string): void {
    const found = this.find(name);
    if (found !== undefined) this.#changed.emit({ upsert: this.view(found) });
  }

  view(record: EnvironmentRecord): EnvironmentView {
    const { name, note, createdAt, build, versions } = record;
    const { fleet } = this.#parts;
    return {
      name,
      note,
      createdAt,
      build: build === null ? null : this.#viewBuild(name, build),
      versions: versions.toReversed().map(({ madeOnId, ...version }) => ({
        ...version,
        madeOn: nameOf(fleet, madeOnId),
        isCurrent: isCurrent(record, { ...version, madeOnId }),
      })),
      deliveries: this.deliveriesOf(name).map((one) => this.viewDelivery(one)),
    };
  }

  viewDelivery(record: DeliveryRecord): Delivery {
    const version = this.find(record.environment)?.versions.find(
      ({ id }) => id === record.versionId,
    );
    return {
      ...record,
      image: version?.image ?? '',
      node: nameOf(this.#parts.fleet, record.nodeId),
    };
  }

  #viewBuild(name: string, build: BuildRecord): EnvironmentBuild {
    const { nodeId, origin, state, problem } = build;
    const { phase, isRunning, output } = this.#progress.get(name) ?? idle;
    const made = origin.kind === 'dockerfile' ? 'built' : isRunning ? 'running' : 'stopped';
    const states = { wanted: 'preparing', failed: 'failed', made } as const;
    return {
      nodeId,
      node: nameOf(this.#parts.fleet, nodeId),
      container: origin.kind === 'image' ? buildContainerName(name) : null,
      state: states[state],
      origin,
      phase,
      problem,
      output: [...output],
    };
  }

  #dropDelivery(id: DeliveryId): void {
    this.#deliveries.delete(id);
    this.#parts.records.removeDelivery(id);
  }
}
