// The terminals of this core: opened at a place, looked at by anybody who may, kept until closed.
import { readInput } from './read-input.ts';
import type { z } from 'zod';
import type {
  attachInput,
  TerminalChange,
  TerminalId,
  TerminalSize,
  TerminalTarget,
  TerminalView,
} from '../../contract/terminals.ts';
import type { NodeId } from '../../contract/ids.ts';
import { Emitter } from '../../domain/emitter.ts';
import {
  endKept,
  findKeeperScript,
  foundKeeper,
  keptShell,
  wantedKeepers,
  type Keeper,
} from '../../domain/terminals/keeper.ts';
import { notNow, UnknownTerminalError } from './errors.ts';
import { findPlace, shellIn, type Place } from './places.ts';
import type { TerminalParts } from './ports.ts';
import { TerminalSession } from './session.ts';

/** More terminals than that at once are a mistake; each has a screen in memory. */
const mostTerminals = 100;
/** Ended ones stay readable until they are closed, or until there are more than this. */
const mostEnded = 20;

export interface Opening {
  readonly target: TerminalTarget;
  readonly size: TerminalSize;
  readonly name: string | null;
  /** Where the shell begins; null: where a login does. */
  readonly folder?: string | null;
}

interface Entry {
  readonly session: TerminalSession;
  readonly place: Place;
  readonly mark: string;
  readonly keeper: Keeper | null;
}

export class TerminalsService implements AsyncDisposable {
  readonly #parts: TerminalParts;
  readonly #entries = new Map<TerminalId, Entry>();
  readonly #changed = new Emitter<TerminalChange>();
  /** Shells in containers whose connection dropped: nobody can reach them any more. */
  readonly #orphans = new Map<NodeId, Map<string, Place>>();
  readonly #listening: Disposable;
  #lastNumber = 0;

  /** Opened, changed, closed. */
  readonly onDidChange = this.#changed.event;

  constructor(parts: TerminalParts) {
    this.#parts = parts;
    this.#listening = parts.nodes.onDidComeOnline((id) => void this.#onOnline(id));
  }

  list(): TerminalView[] {
    return [...this.#entries.values()].map(({ session }) => session.view());
  }

  /** Throws what finding the place or starting its shell throws. */
  async open({ target, size, name, folder = null }: Opening): Promise<TerminalView> {
    this.#makeRoom();
    const place = await findPlace(this.#parts, target);
    const { clock, screens, log, settings, newMark } = this.#parts;
    const mark = newMark();
    const keeper = await this.#chooseKeeper(place, mark);
    this.#lastNumber += 1;
    const id = `t${this.#lastNumber.toString(36)}` as TerminalId;
    const shell = folder === null ? undefined : shellIn(folder);
    const command = keeper === null ? shell : keptShell(keeper, keptName(mark), shell ?? []);
    const session = await TerminalSession.open({
      id,
      target,
      name,
      size,
      keeper,
      place: place.text,
      openedAt: clock.now(),
      scrollbackLines: settings().scrollbackLines,
      screens,
      log,
      launch: (now) => place.start({ command, size: now, mark }),
      endKept: () => this.#endKept(place, keeper, mark),
      onChange: () => this.#onChange(id),
    });
    this.#entries.set(id, { session, place, mark, keeper });
    this.#changed.emit({ upsert: session.view() });
    return session.view();
  }

  rename(reference: string, name: string | null): TerminalView {
    const { session } = this.#need(reference);
    session.rename(name);
    return session.view();
  }

  resize(reference: string, size: TerminalSize): TerminalView {
    const { session } = this.#need(reference);
    session.resize(size);
    return session.view();
  }

  async close(reference: string): Promise<TerminalId> {
    const { session } = this.#need(reference);
    this.#forget(session.id);
    await session.close();
    return session.id;
  }

  /** One who looks and types. The frames they send come from `incoming`. */
  async *attach(
    { terminal, size, answers }: z.output<typeof attachInput>,
    io: { incoming: AsyncIterable<Uint8Array>; signal: AbortSignal },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { session } = this.#need(terminal);
    if (size !== undefined) session.resize(size);
    const viewer = session.attach({ answers });
    const leave = () => session.leave(viewer);
    const isGone = () => io.signal.aborted;
    io.signal.addEventListener('abort', leave, { once: true });
    const typed: { violation?: Error } = {};
    const typing = readInput(io.incoming, {
      input: (bytes) => session.input(bytes),
      resize: (cells) => session.resize(cells),
      watching: (isWatching) => viewer.setWatching(isWatching),
    });
    void typing.then((error) => {
      if (error === undefined) return;
      typed.violation = error;
      leave();
    });
    try {
      if (isGone()) return;
      yield* viewer.frames();
      if (typed.violation !== undefined && !isGone()) throw typed.violation;
    } finally {
      io.signal.removeEventListener('abort', leave);
      leave();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.allSettled(entries.map(({ session }) => session.letGo()));
  }

  #need(reference: string): Entry {
    const entry = this.#entries.get(reference as TerminalId);
    if (entry === undefined) throw new UnknownTerminalError(reference);
    return entry;
  }

  #makeRoom(): void {
    const ended = [...this.#entries.values()].filter(({ session }) => session.hasEnded);
    for (const { session } of ended.slice(0, Math.max(0, ended.length - mostEnded))) {
      this.#forget(session.id);
      void session.close();
    }
    if (this.#entries.size < mostTerminals) return;
    throw notNow(
      `There are ${String(mostTerminals)} terminals open. Close some that are no longer used.`,
      'this core',
    );
  }

  #forget(id: TerminalId): void {
    this.#entries.delete(id);
    this.#changed.emit({ removed: id });
  }

  #onChange(id: TerminalId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { session, place, mark, keeper } = entry;
    this.#changed.emit({ upsert: session.view() });
    const isOrphaned =
      session.hasEnded && session.view().reason !== null && place.container !== null;
    if (!isOrphaned || keeper !== null) return;
    const orphans = this.#orphans.get(place.nodeId) ?? new Map<string, Place>();
    this.#orphans.set(place.nodeId, orphans.set(mark, place));
  }

  async #onOnline(node: NodeId): Promise<void> {
    const orphans = this.#orphans.get(node) ?? new Map<string, Place>();
    this.#orphans.delete(node);
    for (const [mark, place] of orphans) {
      try {
        await place.sweep(mark);
      } catch (error) {
        this.#parts.log.debug({ err: error }, 'a lost shell was not ended; its container is gone');
      }
    }
    for (const { session, place } of this.#entries.values()) {
      if (place.nodeId === node && session.isDetached) await session.resume();
    }
  }

  async #chooseKeeper(place: Place, mark: string): Promise<Keeper | null> {
    const wanted = wantedKeepers(this.#parts.settings().keeper);
    if (wanted.length === 0) return null;
    const output = await place.ask(['sh', '-c', findKeeperScript, 'sh', ...wanted], mark);
    return foundKeeper(wanted, output);
  }

  async #endKept(place: Place, keeper: Keeper | null, mark: string): Promise<void> {
    const command = keeper === null ? undefined : endKept(keeper, keptName(mark));
    if (command === undefined) return;
    try {
      await place.ask(command, mark);
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'what was kept of a terminal could not be ended');
    }
  }
}

function keptName(mark: string): string {
  return `kohakuriver-${mark}`;
}
