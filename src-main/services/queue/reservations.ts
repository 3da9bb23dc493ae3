// Reservations of nodes and GPUs by people; the planner plans around them.
import { RequestError } from '../../contract/errors.ts';
import type { NodeId } from '../../contract/ids.ts';
import {
  reservationId,
  type ReservationId,
  type ReservationRequest,
  type ReservationView,
} from '../../contract/queue.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import { Emitter } from '../../domain/emitter.ts';
import { SubmissionError } from '../../domain/errors.ts';
import type { Reservation } from '../../domain/planner/guards.ts';
import type { SnowflakeFactory } from '../../domain/snowflake.ts';
import type { QueueRepository, StoredReservation } from '../../store/queue-repository.ts';
import type { Fleet, FleetNode } from '../fleet.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import { Deadlines } from './deadlines.ts';

export interface ReservationParts {
  readonly records: Pick<
    QueueRepository,
    'reservations' | 'addReservation' | 'removeReservation' | 'removeReservationsOver'
  >;
  readonly book: Pick<TaskBook, 'flushed'>;
  readonly fleet: Fleet;
  readonly ids: SnowflakeFactory;
  readonly clock: Clock;
  readonly timers: Timers;
}

const dayMs = 86_400_000;
const longestMs = 31 * dayMs;
const furthestMs = 366 * dayMs;
/** At most so many at a time: each pass of the planner reads them. */
const most = 1000;
/** A time of day is looked at again this often: the clock may have been set. */
const longestNapMs = 300_000;

export class Reservations implements Disposable {
  readonly #parts: ReservationParts;
  readonly #edges: Deadlines<ReservationId>;
  readonly #changed = new Emitter<void>();
  #all: StoredReservation[] = [];
  /** One was made, removed, begins or is over. */
  readonly onDidChange = this.#changed.event;

  constructor(parts: ReservationParts) {
    this.#parts = parts;
    this.#edges = new Deadlines(parts, (id) => this.#onEdge(id));
    this.reload();
    parts.records.removeReservationsOver(parts.clock.now());
  }

  [Symbol.dispose](): void {
    this.#edges[Symbol.dispose]();
  }

  /** Takes the store's word again, after a commit that failed. */
  reload(): void {
    this.#all = this.#parts.records.reservations();
    for (const one of this.#all) this.#watch(one);
    this.#changed.emit();
  }

  /** Those that are not over, the earliest first. */
  list(): ReservationView[] {
    return this.#current()
      .sort((a, b) => a.from - b.from)
      .map((one) => this.#view(one));
  }

  /** As the planner reads them. */
  forPlanner(): Reservation[] {
    return this.#current().map(({ id, nodeId, gpus, from, to, owners }) => ({
      ...{ id, nodeId, from, to, owners },
      gpus: gpus === null ? null : gpus.map(({ uuid }) => uuid),
    }));
  }

  #current(): StoredReservation[] {
    const now = this.#parts.clock.now();
    return this.#all.filter(({ to }) => to > now);
  }

  /** Durable when it resolves. Throws `target/unknown-node`, `target/unknown-gpu`, `input/invalid`, `conflict/reserved`. */
  async add(request: ReservationRequest, who: string): Promise<ReservationView> {
    const { fleet, ids, records, book } = this.#parts;
    this.#checkTimes(request);
    const node = fleet.find(request.node);
    if (node === undefined) {
      const message = `There is no node ${request.node}.`;
      throw new SubmissionError('target/unknown-node', message, { field: 'node' });
    }
    const reservation: StoredReservation = {
      id: reservationId.parse(ids.taskId()),
      nodeId: node.id,
      gpus: request.gpus === null ? null : this.#gpusOf(node, request.gpus),
      from: request.from,
      to: request.to,
      owners: [...new Set(request.owners ?? [who])],
      note: request.note,
      by: who,
    };
    this.#checkOverlap(reservation, node);
    records.addReservation(reservation);
    this.#all.push(reservation);
    this.#watch(reservation);
    await book.flushed();
    this.#changed.emit();
    return this.#view(reservation);
  }

  /** By its ID or an ending of it that only one has. Throws `not-found/reservation`, `ambiguous/id`. */
  async remove(reference: string): Promise<{ id: ReservationId }> {
    const { records, book } = this.#parts;
    const id = this.#find(reference);
    records.removeReservation(id);
    this.#forget(({ id: other }) => other === id);
    await book.flushed();
    this.#changed.emit();
    return { id };
  }

  /** Its node was removed. */
  forgetNode(nodeId: NodeId): void {
    const gone = this.#all.filter((one) => one.nodeId === nodeId);
    if (gone.length === 0) return;
    for (const { id } of gone) this.#parts.records.removeReservation(id);
    this.#forget((one) => one.nodeId === nodeId);
    this.#changed.emit();
  }

  #forget(isGone: (one: StoredReservation) => boolean): void {
    for (const one of this.#all) if (isGone(one)) this.#edges.forget(one.id);
    this.#all = this.#all.filter((one) => !isGone(one));
  }

  #find(reference: string): ReservationId {
    const isLong = reference.length >= 6;
    const found = this.#all.filter(
      ({ id }) => id === reference || (isLong && id.endsWith(reference)),
    );
    const [first] = found;
    const details = { reservation: reference };
    if (first === undefined) {
      const message = `There is no reservation ${reference}.`;
      throw new RequestError('not-found/reservation', message, { details });
    }
    if (found.length === 1) return first.id;
    const message = `${String(found.length)} reservations end in ${reference}: write more of the ID.`;
    throw new RequestError('ambiguous/id', message, { details });
  }

  #checkTimes({ from, to }: ReservationRequest): void {
    const now = this.#parts.clock.now();
    if (to <= from) throw invalid('to', 'A reservation ends after it begins.');
    if (to <= now) throw invalid('to', 'That time has passed already.');
    if (to - from > longestMs) throw invalid('to', 'A reservation lasts at most 31 days.');
    if (from > now + furthestMs)
      throw invalid('from', 'A reservation begins within the next 366 days.');
    if (this.#current().length >= most)
      throw invalid('from', `There are ${String(most)} reservations already: remove some first.`);
  }

  #checkOverlap(wanted: StoredReservation, node: FleetNode): void {
    const other = this.#all.find(
      (one) =>
        one.nodeId === wanted.nodeId &&
        one.from < wanted.to &&
        wanted.from < one.to &&
        sharesGpus(one, wanted),
    );
    if (other === undefined) return;
    const time = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
    throw new SubmissionError(
      'conflict/reserved',
      `${node.name} is reserved for ${other.owners.join(', ')} from ${time(other.from)} to ${time(other.to)} UTC already (reservation ${other.id}).`,
      { field: 'from', reservation: other.id },
    );
  }

  #gpusOf({ id, name }: FleetNode, indices: readonly number[]) {
    const gpus = this.#parts.fleet.plannerNodes().find((node) => node.id === id)?.gpus ?? [];
    return [...new Set(indices)].map((index) => {
      const gpu = gpus.find((one) => one.index === index);
      if (gpu !== undefined) return { uuid: gpu.uuid, index };
      const has = gpus.length === 0 ? 'none' : gpus.map((one) => String(one.index)).join(', ');
      throw new SubmissionError(
        'target/unknown-gpu',
        `${name} has no GPU ${String(index)}: it has ${has}.`,
        { field: 'gpus', value: index },
      );
    });
  }

  #watch({ id, from, to }: StoredReservation): void {
    const now = this.#parts.clock.now();
    const edge = from > now ? from : to;
    if (edge > now) this.#edges.set(id, edge, Math.min(edge - now, longestNapMs));
  }

  #onEdge(id: ReservationId): void {
    const one = this.#all.find((reservation) => reservation.id === id);
    if (one === undefined) return;
    const now = this.#parts.clock.now();
    if (one.to <= now) {
      this.#parts.records.removeReservation(id);
      this.#forget((other) => other.id === id);
    } else this.#watch(one);
    this.#changed.emit();
  }

  #view({ gpus, ...rest }: StoredReservation): ReservationView {
    return {
      ...rest,
      node: this.#parts.fleet.node(rest.nodeId)?.name ?? null,
      gpus: gpus === null ? null : gpus.map(({ index }) => index),
    };
  }
}

/** A whole node and GPUs of it are in each other's way. */
function sharesGpus(a: StoredReservation, b: StoredReservation): boolean {
  if (a.gpus === null || b.gpus === null) return true;
  const theirs = new Set(a.gpus.map(({ uuid }) => uuid));
  return b.gpus.some(({ uuid }) => theirs.has(uuid));
}

function invalid(field: string, message: string): SubmissionError {
  return new SubmissionError('input/invalid', message, { field });
}
