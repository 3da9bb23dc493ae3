// One run of one transfer, from looking at the sources to putting the last file in place. Everything
// arrives in a folder of its own beside its target; only what is whole leaves it. A run that was
// broken off leaves that folder, and the next one goes on from what it finds in it.
import type { TransferRequest, TransferProgress } from '../../contract/transfers.ts';
import { shownName } from '../../domain/files/path-text.ts';
import { baseName, isWithin, joinPath, parentPath } from '../../domain/files/paths.ts';
import { isSame, smallFileBytes, type Item } from '../../domain/transfers/plan.ts';
import { eachOf } from '../../link/file-trees.ts';
import { FileError } from '../../link/errors.ts';
import { absolute, makeDirectories } from '../files/file-service.ts';
import type { Places, Root } from '../files/places.ts';
import { ItemError, NoSpaceError, TransferError } from './errors.ts';
import { findTools, hashesOf } from './far-side.ts';
import { moveLargeFile } from './large-file.ts';
import { place, type Placed, type Placing, type Target } from './placing.ts';
import { scan, type Problem, type Scanned } from './scan.ts';
import { moveSmallFiles, type End, type Moving } from './small-files.ts';
import { makeStageDirectories, openStage, stagedTree, stagePath, type Staged } from './stage.ts';

export type Proof = 'hashes' | 'sizes' | 'none';

export type RunOutcome =
  | { readonly kind: 'asks'; readonly count: number; readonly some: readonly string[] }
  | { readonly kind: 'ended'; readonly problems: readonly Problem[]; readonly proof: Proof };

export interface RunParts {
  readonly id: string;
  readonly request: TransferRequest;
  readonly places: Places;
  readonly signal: AbortSignal;
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
}

/** Runs it. Throws what ends it as a whole; files that fail on their own are in the outcome. */
export async function runTransfer(parts: RunParts): Promise<RunOutcome> {
  return new Run(parts).run();
}

const lanes = 24;
const hashedTogether = 2000;

class Run {
  readonly #parts: RunParts;
  readonly #problems: Problem[] = [];
  #filesDone = 0;
  #bytesTotal = 0;
  #bytesKept = 0;
  #bytesMoved = 0;
  #current: string | null = null;
  #isUnproven = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  async run(): Promise<RunOutcome> {
    const { request, places, onProgress } = this.#parts;
    onProgress({ phase: 'looking' });
    const [from, to] = [await places.open(request.from.place), await places.open(request.to.place)];
    const scanned = await this.#scan(from);
    const target = await this.#target(to, scanned);
    this.#refuseIntoItself({ from, to, target, scanned });
    const placing = await place(scanned.sources, {
      files: to.files,
      target,
      policy: request.conflicts,
      isAgain: this.#parts.isAgain,
      isCaseBlind: this.#parts.isCaseBlind && to.nodeId === undefined,
    });
    if (placing.asks.length > 0) {
      return { kind: 'asks', count: placing.asks.length, some: placing.asks.slice(0, 20) };
    }
    this.#problems.push(...scanned.problems, ...placing.problems);
    return this.#move({ from, to, target, scanned, placing });
  }

  async #scan(root: Root): Promise<Scanned> {
    const { request, signal, limit, onProgress } = this.#parts;
    const { paths } = request.from;
    const scanned = await scan({
      root,
      paths,
      recursive: request.recursive,
      signal,
      limit,
      onFound: ({ files, bytes }) => onProgress({ filesTotal: files, bytesTotal: bytes }),
    });
    const items = scanned.sources.flatMap((source) => source.items);
    const files = items.filter(({ kind }) => kind === 'file');
    const bytesTotal = files.reduce((sum, { size }) => sum + size, 0);
    this.#bytesTotal = bytesTotal;
    onProgress({ filesTotal: files.length, bytesTotal });
    return scanned;
  }

  /** As cp has it: into a folder that is there, or under the name given. */
  async #target({ files }: Root, { sources }: Scanned): Promise<Target> {
    const { request, target: known, onTarget } = this.#parts;
    if (known !== null) return known;
    const path = await absolute(files, request.to.path);
    const there = await files.stat(path, { follow: true });
    let target: Target;
    if (there?.kind === 'directory' || request.to.as === 'into') {
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

  async #move(ends: Ends & { placing: Placing }): Promise<RunOutcome> {
    const { from, to, target, scanned, placing } = ends;
    const { id, request, signal, onProgress } = this.#parts;
    const stage = stagePath(target.directory, id);
    const sink: End = { root: to, tools: await findTools(to), directory: stage };
    const fromTools = await findTools(from);
    const staged = await openStage(to, stage);
    for (const item of placing.alreadyThere) this.#keep(item);
    await this.#checkSpace(to, { target, placing, staged });
    await makeStageDirectories(sink, placing.moves, staged);
    onProgress({ phase: 'moving' });
    const arrived: Item[] = [];
    for (const source of scanned.sources) {
      const own = ownItems(source, placing.moves);
      const files = own.filter(({ kind }) => kind === 'file');
      const missing = files.filter((item) => !this.#isStaged(item, staged));
      const moving = this.#moving(
        { root: from, tools: fromTools, directory: source.directory },
        sink,
      );
      const failed = await this.#moveFiles(missing, moving);
      await this.#moveLinks(own, moving, failed);
      const whole = files.filter((item) => !failed.has(item));
      if (request.verify) await this.#verify(whole, moving, failed);
      arrived.push(...own.filter((item) => !failed.has(item)));
      signal.throwIfAborted();
    }
    const proof = await this.#proof(sink, arrived, request.verify);
    onProgress({ phase: 'placing', current: null });
    await this.#put({ to, target, stage, placing, arrived: new Set(arrived) });
    await to.files.removeTree(stage);
    return { kind: 'ended', problems: this.#problems, proof };
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
    this.#keep(item);
    return true;
  }

  #moving(from: End, to: End): Moving {
    const { signal, onBytes } = this.#parts;
    return {
      from,
      to,
      signal,
      onBytes: (bytes) => {
        this.#bytesMoved += bytes;
        this.#tell();
        return onBytes(bytes);
      },
      onKept: (bytes) => {
        this.#bytesKept += bytes;
        this.#tell();
      },
      onFile: (item) => this.#count(item),
      onProblem: (item, error) => this.#fail(item, error),
    };
  }

  /** Resolves with those that failed on their own. */
  async #moveFiles(items: readonly Item[], moving: Moving): Promise<Set<Item>> {
    const failed = new Set<Item>();
    const noting: Moving = {
      ...moving,
      onProblem: (item, error) => {
        failed.add(item);
        moving.onProblem(item, error);
      },
    };
    const small = items.filter(({ size }) => size <= smallFileBytes);
    if (small.length > 0) await moveSmallFiles(small, noting);
    for (const item of items) {
      if (item.size <= smallFileBytes) continue;
      this.#current = shownName(item.path);
      try {
        await moveLargeFile(item, noting);
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

  /** Hashes both ends; what differs is removed and failed. Notes when it could not be told. */
  async #verify(items: readonly Item[], moving: Moving, failed: Set<Item>): Promise<void> {
    const { from, to } = moving;
    this.#parts.onProgress({ phase: 'verifying', current: null });
    for (let at = 0; at < items.length; at += hashedTogether) {
      this.#parts.signal.throwIfAborted();
      const some = items.slice(at, at + hashedTogether);
      const [near, far] = await Promise.all([
        hashesOf(from, from.directory, some),
        hashesOf(to, to.directory, some),
      ]);
      for (const [index, item] of some.entries()) {
        if (near[index] === undefined || far[index] === undefined) this.#isUnproven = true;
        else if (near[index] !== far[index]) {
          await to.root.files.removeTree(joinPath(to.directory, item.path));
          failed.add(item);
          this.#fail(item, new ItemError(shownName(item.path), 'It changed while it was moved.'));
        }
      }
    }
  }

  /**
   * Whatever else was looked at: everything is there with the size it should have, and nothing else
   * is (folders go to their place as a whole, and would take what failed with them).
   */
  async #proof(to: End, items: readonly Item[], hashed: boolean): Promise<Proof> {
    const staged = new Map(await stagedTree(to.root, to.directory));
    for (const item of items) {
      const there = staged.get(item.path);
      if (there?.kind !== item.kind || (item.kind === 'file' && there.size !== item.size)) {
        throw new TransferError(
          'transfer/failed',
          `${shownName(item.path)} did not arrive whole. Nothing was put in place; try again.`,
          { retry: 'later' },
        );
      }
      staged.delete(item.path);
    }
    const strays = [...staged].filter(([, { kind }]) => kind !== 'directory');
    await eachOf(strays, lanes, ([path]) => to.root.files.remove(joinPath(to.directory, path)));
    return hashed && !this.#isUnproven ? 'hashes' : 'sizes';
  }

  async #put(what: {
    to: Root;
    target: Target;
    stage: string;
    placing: Placing;
    arrived: ReadonlySet<Item>;
  }): Promise<void> {
    const { to, target, stage, placing, arrived } = what;
    const { files } = to;
    const moves = placing.moves.filter(({ item }) => arrived.has(item));
    const folders = moves.filter(({ item }) => item.kind === 'directory');
    // Deepest first: putting something into a folder changes its time.
    const inside = [...folders].reverse();
    const isWhole = ({ to: path }: Placed) => placing.whole.has(topOf(path));
    for (const { item } of inside.filter(isWhole)) {
      await dress(to, joinPath(stage, item.path), item);
    }
    for (const top of placing.whole) {
      const own = moves.find(({ to: path }) => path === top);
      if (own === undefined) continue;
      await this.#putOne(to, {
        from: joinPath(stage, own.item.path),
        to: joinPath(target.directory, top),
        own,
        isNew: true,
      });
    }
    const rest = moves.filter((move) => !isWhole(move));
    for (const { item, to: path } of rest) {
      if (item.kind !== 'directory' || placing.present.has(path)) continue;
      await makeDirectories(files, joinPath(target.directory, path));
    }
    const others = rest.filter(({ item }) => item.kind !== 'directory');
    await eachOf(others, lanes, (own) =>
      this.#putOne(to, {
        from: joinPath(stage, own.item.path),
        to: joinPath(target.directory, own.to),
        own,
        isNew: false,
      }),
    );
    for (const { item, to: path } of [...rest].reverse()) {
      if (item.kind !== 'directory' || placing.present.has(path)) continue;
      await dress(to, joinPath(target.directory, path), item);
    }
  }

  async #putOne(
    { files }: Root,
    move: { from: string; to: string; own: Placed; isNew: boolean },
  ): Promise<void> {
    const { request } = this.#parts;
    const mayReplace = request.conflicts === 'overwrite' || request.conflicts === 'newer';
    // Somebody may have made it meanwhile.
    if ((move.isNew || !mayReplace) && (await files.stat(move.to)) !== undefined) {
      this.#fail(
        move.own.item,
        new ItemError(shownName(move.own.item.path), 'Something of this name appeared meanwhile.'),
      );
      return;
    }
    await files.rename(move.from, move.to);
  }

  /** It is there from an earlier run. */
  #keep(item: Item): void {
    this.#bytesKept += item.size;
    this.#count(item);
  }

  #count(item: Item): void {
    if (item.kind === 'file') this.#filesDone += 1;
    this.#current = shownName(item.path);
    this.#tell();
  }

  #tell(): void {
    this.#parts.onProgress({
      filesDone: this.#filesDone,
      bytesMoved: this.#bytesMoved,
      bytesDone: Math.min(this.#bytesTotal, this.#bytesKept + this.#bytesMoved),
      current: this.#current,
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

function ownItems(source: { items: readonly Item[] }, moves: readonly Placed[]): Item[] {
  const wanted = new Set(moves.map(({ item }) => item));
  return source.items.filter((item) => wanted.has(item));
}

function topOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

/** Gives a folder its mode and time, once everything is in it. */
async function dress({ files }: Root, path: string, item: Item): Promise<void> {
  await files.setMode(path, item.mode & 0o7777);
  await files.setModified(path, item.modifiedAt);
}

function noFolder(path: string): FileError {
  return new FileError('link/file-not-found', `There is no folder ${shownName(path)}.`, {
    details: { path: shownName(path) },
  });
}
