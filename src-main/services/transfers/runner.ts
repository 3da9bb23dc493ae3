// One run of one transfer, from looking at the sources to putting the last file in place. Everything
// arrives in a folder of its own beside its target; only what is whole leaves it. A run that was
// broken off leaves that folder, and the next one goes on from what it finds in it.
import type { TransferRequest, TransferProgress } from '../../contract/transfers.ts';
import type { Timers } from '../../domain/clock.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { baseName, isWithin, joinPath, parentPath } from '../../domain/files/paths.ts';
import { isSame, smallFileBytes, type Item } from '../../domain/transfers/plan.ts';
import { eachOf } from '../../link/file-trees.ts';
import { FileError } from '../../link/errors.ts';
import { absolute, makeDirectories } from '../files/file-service.ts';
import type { Places, Root } from '../files/places.ts';
import { mayGoDirect } from './direct.ts';
import { digestFor } from './digests.ts';
import { ItemError, NoSpaceError, TransferError } from './errors.ts';
import type { KnownTools } from './known-tools.ts';
import { moveLargeFile } from './large-file.ts';
import type { LocalThread } from './here/local-thread.ts';
import { place, type Placed, type Placing, type Target } from './placing.ts';
import { inLots, proveArrived, Proving } from './proving.ts';
import { putInPlace } from './putting.ts';
import { RunCounts } from './run-counts.ts';
import { scan, type Problem, type Scanned } from './scan.ts';
import {
  byWay,
  moveSmallFiles,
  type DeltaWay,
  type DirectWay,
  type End,
  type Moving,
  type Older,
} from './small-files.ts';
import { listingOf, planSync, removeExtra, type SyncPlan } from './sync.ts';
import { listTreeOf } from './tree.ts';
import { makeStageDirectories, openStage, stagePath, type Staged } from './stage.ts';

export type Proof = 'hashes' | 'sizes' | 'none';

export type RunOutcome =
  | { readonly kind: 'asks'; readonly count: number; readonly some: readonly string[] }
  | { readonly kind: 'ended'; readonly problems: readonly Problem[]; readonly proof: Proof };

export interface RunParts {
  readonly id: string;
  readonly request: TransferRequest;
  readonly places: Places;
  readonly signal: AbortSignal;
  /** Works on files of this computer. */
  readonly thread: LocalThread;
  readonly tools: KnownTools;
  /** Whether large files may go straight from one node to another. */
  readonly isDirectAllowed: boolean;
  /** Whether of large files only what differs from the older version may be moved. */
  readonly isDeltaAllowed: boolean;
  readonly timers: Timers;
  /** Where everything goes, when an earlier run has found out. */
  readonly target: Target | null;
  readonly isAgain: boolean;
  readonly isCaseBlind: boolean;
  /** Files, folders and links at most. */
  readonly limit: number;
  readonly onTarget: (target: Target) => Promise<void>;
  readonly onProgress: (change: Partial<TransferProgress>) => void;
  /** Waits where a rate is set. */
  readonly onBytes: (bytes: number) => Promise<void> | undefined;
  /** For the log. */
  readonly onNote: (note: { path: string; why: string }) => void;
}

/** Runs it. Throws what ends it as a whole; files that fail on their own are in the outcome. */
export async function runTransfer(parts: RunParts): Promise<RunOutcome> {
  return new Run(parts).run();
}

const lanes = 24;

class Run {
  readonly #parts: RunParts;
  readonly #counts: RunCounts;
  readonly #problems: Problem[] = [];
  readonly #direct: DirectWay;
  #isUnproven = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#direct = { timers: parts.timers, isOpen: parts.isDirectAllowed };
    this.#counts = new RunCounts(parts.onProgress);
  }

  async run(): Promise<RunOutcome> {
    const { request, places, onProgress } = this.#parts;
    onProgress({ phase: 'looking' });
    const [from, to] = [await places.open(request.from.place), await places.open(request.to.place)];
    const sync = await this.#planSync(from, to);
    const scanned = sync?.scanned ?? (await this.#scan(from));
    this.#counts.setTotal(filesOf(scanned));
    const target = await this.#target(to, scanned);
    this.#refuseIntoItself({ from, to, target, scanned });
    const placing = await place(scanned.sources, {
      target,
      policy: request.conflicts,
      isAgain: sync === undefined && this.#parts.isAgain,
      isCaseBlind: this.#isCaseBlind(to),
      ...(sync === undefined ? { files: to.files } : { files: listingOf(sync), same: sync.same }),
    });
    if (placing.asks.length > 0) {
      return { kind: 'asks', count: placing.asks.length, some: placing.asks.slice(0, 20) };
    }
    this.#problems.push(...scanned.problems, ...placing.problems);
    await this.#move({ from, to, target, scanned, placing });
    if (sync !== undefined) await this.#removeExtra(to, sync);
    const proof = request.verify && !this.#isUnproven ? 'hashes' : 'sizes';
    return { kind: 'ended', problems: this.#problems, proof };
  }

  async #planSync(from: Root, to: Root): Promise<SyncPlan | undefined> {
    const { request, signal, limit } = this.#parts;
    const { sync } = request;
    if (sync === null) return undefined;
    const isCaseBlind = this.#isCaseBlind(to);
    const onFound = this.#onFound;
    return planSync({ from, to, request, sync, signal, limit, isCaseBlind, onFound });
  }

  /** Only after all that is new is there: a sync that is broken off leaves too much, not too little. */
  async #removeExtra(to: Root, plan: SyncPlan): Promise<void> {
    const { signal } = this.#parts;
    if (this.#problems.some(({ outcome }) => outcome === 'failed')) {
      this.#problems.push(...plan.removals.map(({ path }) => notRemoved(path)));
    } else this.#problems.push(...(await removeExtra(to, plan, signal)));
  }

  async #scan(root: Root): Promise<Scanned> {
    const { request, signal, limit, tools } = this.#parts;
    const { recursive, from } = request;
    const listTree = listTreeOf({
      root,
      tools: await tools.of(root),
      thread: this.#threadOf(root),
    });
    const onFound = this.#onFound;
    return scan({ root, paths: from.paths, recursive, signal, limit, onFound, listTree });
  }

  readonly #onFound = ({ files, bytes }: { files: number; bytes: number }) =>
    this.#parts.onProgress({ filesTotal: files, bytesTotal: bytes });

  #isCaseBlind(to: Root): boolean {
    return this.#parts.isCaseBlind && to.nodeId === undefined;
  }

  /** As cp has it: into a folder that is there, or under the name given. */
  async #target({ files }: Root, { sources }: Scanned): Promise<Target> {
    const { request, target: known, onTarget } = this.#parts;
    if (known !== null) return known;
    const path = await absolute(files, request.to.path);
    const there = await files.stat(path, { follow: true });
    let target: Target;
    if (there?.kind === 'directory' || request.to.as === 'into' || request.sync !== null) {
      await makeDirectories(files, path);
      target = { directory: path, rename: null };
    } else if (sources.length === 1) {
      target = { directory: parentPath(path), rename: baseName(path) };
      const parent = await files.stat(target.directory, { follow: true });
      if (parent?.kind !== 'directory') throw noFolder(target.directory);
    } else {
      throw noFolder(path);
    }
    await onTarget(target);
    return target;
  }

  #refuseIntoItself({ from, to, target, scanned }: Ends): void {
    if (JSON.stringify(from.place) !== JSON.stringify(to.place)) return;
    for (const { directory, name, items } of scanned.sources) {
      const source = joinPath(directory, name);
      const isSamePath = source === joinPath(target.directory, target.rename ?? name);
      const isInside = items[0]?.kind === 'directory' && isWithin(target.directory, source);
      if (isSamePath || isInside) {
        throw new TransferError(
          'transfer/refused',
          `${shownName(source)} cannot be moved into itself.`,
        );
      }
    }
  }

  async #move(ends: Ends & { placing: Placing }): Promise<void> {
    const { from, to, target, scanned, placing } = ends;
    const { id, request, onProgress } = this.#parts;
    const stage = stagePath(target.directory, id);
    const { tools } = this.#parts;
    const [near, far] = await Promise.all([tools.of(from), tools.of(to)]);
    const digest = digestFor(near, far);
    const origin = this.#end(from, { tools: near, directory: '', digest });
    const sink = this.#end(to, { tools: far, directory: stage, digest });
    const staged = await openStage(to, stage, this.#parts.signal);
    for (const item of placing.alreadyThere) this.#counts.keptWhole(item);
    await this.#checkSpace(to, { target, placing, staged });
    await makeStageDirectories(sink, placing.moves, staged);
    onProgress({ phase: 'moving' });
    const arrived = new Set<Item>();
    const delta = this.#deltaWay(target, placing);
    for (const { directory, items } of byDirectory(scanned, placing.moves)) {
      const source: End = { ...origin, directory };
      const moving = this.#moving(source, sink, delta);
      for (const item of await this.#moveGroup(items, moving, staged)) {
        arrived.add(item);
      }
    }
    await proveArrived(sink, [...arrived], this.#parts.signal);
    onProgress({ phase: 'placing', current: null });
    const { conflicts: policy } = request;
    const onProblem = (item: Item, error: ItemError) => this.#fail(item, error);
    await putInPlace({ to, target, stage, placing, arrived, policy, onProblem });
    await to.files.removeTree(stage);
  }

  #end(root: Root, rest: Pick<End, 'tools' | 'directory' | 'digest'>): End {
    return { root, thread: this.#threadOf(root), ...rest };
  }

  #threadOf(root: Root): LocalThread | undefined {
    return root.nodeId === undefined ? this.#parts.thread : undefined;
  }

  /** Of items that lie below one folder; resolves with those that arrived. */
  async #moveGroup(items: readonly Item[], moving: Moving, staged: Staged): Promise<Item[]> {
    const { request, signal, onProgress } = this.#parts;
    const files = items.filter(({ kind }) => kind === 'file');
    const missing = files.filter((item) => !this.#isStaged(item, staged));
    const missed = new Set(missing);
    await using proving = new Proving(moving);
    proving.add(files.filter((item) => !missed.has(item)));
    const failed = await this.#moveFiles(missing, moving, proving);
    await this.#moveLinks(items, moving, failed);
    if (request.verify) onProgress({ phase: 'verifying', current: null });
    const { differing, isUnproven } = await proving.finish();
    for (const { item, error } of differing) {
      failed.add(item);
      this.#fail(item, error);
    }
    this.#isUnproven ||= isUnproven;
    signal.throwIfAborted();
    return items.filter((item) => !failed.has(item));
  }

  async #checkSpace(
    to: Root,
    { target, placing, staged }: { target: Target; placing: Placing; staged: Staged },
  ): Promise<void> {
    const needed = placing.moves.reduce((sum, { item }) => {
      const there = staged.get(item.path)?.size ?? 0;
      return sum + Math.max(0, item.size - there);
    }, 0);
    const use = await to.files.diskUse(target.directory);
    if (use !== undefined && use.freeBytes < needed) {
      throw new NoSpaceError(to.label, { needed, free: use.freeBytes });
    }
  }

  #isStaged(item: Item, staged: Staged): boolean {
    const there = staged.get(item.path);
    if (there === undefined || !isSame(item, there)) return false;
    this.#counts.keptWhole(item);
    return true;
  }

  #deltaWay({ directory }: Target, { moves }: Placing): DeltaWay | undefined {
    const { isDeltaAllowed, timers, onNote } = this.#parts;
    if (!isDeltaAllowed) return undefined;
    const older = new Map<Item, Older>();
    for (const { item, to, older: there } of moves) {
      if (there?.kind !== 'file') continue;
      older.set(item, { path: joinPath(directory, to), size: there.size });
    }
    const note = ({ path }: Item, why: string) => onNote({ path: shownName(path), why });
    return { isOpen: true, timers, older, onNote: note };
  }

  #moving(from: End, to: End, delta: DeltaWay | undefined): Moving {
    const { request, signal, onBytes } = this.#parts;
    // Nothing there could be held to a rate.
    const isStraight = request.rateLimit === null && request.verify && mayGoDirect(from, to);
    return {
      from,
      to,
      signal,
      onBytes: (bytes) => {
        this.#counts.moved(bytes);
        return onBytes(bytes);
      },
      onKept: (bytes) => this.#counts.kept(bytes),
      onFile: (item) => this.#counts.done(item),
      onProblem: (item, error) => this.#fail(item, error),
      hashes: request.verify ? { source: new Map(), target: new Map() } : undefined,
      together: undefined,
      direct: isStraight ? this.#direct : undefined,
      delta,
    };
  }

  /** Resolves with those that failed on their own; the others are compared as they arrive. */
  async #moveFiles(items: readonly Item[], moving: Moving, proving: Proving): Promise<Set<Item>> {
    const failed = new Set<Item>();
    const noting: Moving = {
      ...moving,
      onProblem: (item, error) => {
        failed.add(item);
        moving.onProblem(item, error);
      },
    };
    const small = items.filter(({ size }) => size <= smallFileBytes);
    for (const lot of byWay(small, moving).flatMap((some) => inLots(some, moving))) {
      const together = proving.startLot();
      await moveSmallFiles(lot, { ...noting, together });
      const arrived = lot.filter((item) => !failed.has(item));
      proving.add(arrived, together);
    }
    for (const item of items) {
      if (item.size <= smallFileBytes) continue;
      this.#counts.began(item);
      try {
        await moveLargeFile(item, noting);
        proving.add([item]);
      } catch (error) {
        if (!(error instanceof ItemError)) throw error;
        noting.onProblem(item, error);
      }
    }
    return failed;
  }

  async #moveLinks(items: readonly Item[], moving: Moving, failed: Set<Item>): Promise<void> {
    const links = items.filter(({ kind }) => kind === 'link');
    const { from, to } = moving;
    await eachOf(links, lanes, async (item) => {
      const path = joinPath(to.directory, item.path);
      try {
        const target = await from.root.files.readLink(joinPath(from.directory, item.path));
        if ((await to.root.files.stat(path)) !== undefined) await to.root.files.remove(path);
        await to.root.files.makeLink(path, target);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        failed.add(item);
        this.#fail(item, error);
      }
    });
  }

  #fail(item: Item, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#problems.push({ path: item.path, outcome: 'failed', message });
  }
}

interface Ends {
  readonly from: Root;
  readonly to: Root;
  readonly target: Target;
  readonly scanned: Scanned;
}

/** What is moved, by the folder it lies below: many files chosen in one folder go as one stream. */
function byDirectory(
  { sources }: Scanned,
  moves: readonly Placed[],
): { directory: string; items: Item[] }[] {
  const wanted = new Set(moves.map(({ item }) => item));
  const groups = Map.groupBy(sources, ({ directory }) => directory);
  return [...groups].map(([directory, own]) => ({
    directory,
    items: own.flatMap(({ items }) => items).filter((item) => wanted.has(item)),
  }));
}

function filesOf({ sources }: Scanned): Item[] {
  return sources.flatMap(({ items }) => items.filter(({ kind }) => kind === 'file'));
}

function notRemoved(path: string): Problem {
  const message = 'Not removed: nothing is while something could not be moved.';
  return { path, outcome: 'skipped', message };
}

function noFolder(path: string): FileError {
  return new FileError('link/file-not-found', `There is no folder ${shownName(path)}.`, {
    details: { path: shownName(path) },
  });
}
