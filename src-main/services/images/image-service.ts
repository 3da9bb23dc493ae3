// Images of nodes. What is there is asked of the Engine each time; what something uses stays.
import type { ImagePruneItem, ImageView } from '../../contract/images.ts';
import { RequestError } from '../../contract/errors.ts';
import type { NodeId } from '../../contract/ids.ts';
import { kindOf, prunable } from '../../domain/images/prune.ts';
import type { ImageEngine } from '../../runtimes/image-engine.ts';
import { needImages } from '../environments/ports.ts';
import type { Fleet } from '../fleet.ts';
import { UnknownNodeError } from '../nodes/errors.ts';
import { imageInUse, keptElsewhere, unknownImage } from './errors.ts';

export interface ImageParts {
  readonly fleet: Pick<Fleet, 'plannerNodes' | 'node' | 'find' | 'runtime' | 'onDidComeOnline'>;
  /** Tasks that name an image and have not begun: it is kept for them. By their names. */
  readonly waitingFor: (image: string) => readonly string[];
  /** Whether a VPS of this ID is there: its snapshots are let go where it is shown. */
  readonly isVps: (id: string) => boolean;
  /** IDs of what was built for environments and is no version yet: such an image has no name to know it by. */
  readonly unsaved: () => ReadonlySet<string>;
}

/** More users than that say nothing new. */
const mostUsers = 100;

export class ImageService {
  readonly #parts: ImageParts;

  constructor(parts: ImageParts) {
    this.#parts = parts;
  }

  /** The newest first. Throws `not-found/node`, `link/unreachable`, DockerError. */
  async list(node: string): Promise<ImageView[]> {
    return this.#look(needImages(this.#parts.fleet, this.#node(node)));
  }

  /** Throws `not-found/image`, `image/in-use`, `image/kept-elsewhere`; nothing is removed then. */
  async remove(node: string, image: string): Promise<void> {
    const engine = needImages(this.#parts.fleet, this.#node(node));
    const all = await this.#look(engine);
    const name = /[:@]/.test(image.split('/').at(-1) ?? '') ? image : `${image}:latest`;
    const found = all.find(({ id, names }) => names.includes(name) || isNamedBy(id, image));
    if (found === undefined) throw unknownImage(image, node);
    checkKept(image, found.kind);
    // One of several names may go, whatever the image is used for.
    const isLast = found.names.length <= 1;
    if (isLast && found.usedBy.length > 0) throw imageInUse(image, found.usedBy);
    const reference = found.names.includes(name) ? name : (found.names[0] ?? found.id);
    if (!isLast && reference !== name) throw severalNames(image, found.names);
    if ((await engine.untag(reference)) === 'in-use') throw imageInUse(image, ['something else']);
  }

  /** What pruning would remove, and what it frees. */
  async previewPrune(node: string, scope: { unused: boolean }): Promise<ImagePruneItem[]> {
    const engine = needImages(this.#parts.fleet, this.#node(node));
    const [all, own] = await Promise.all([this.#look(engine), engine.ownBytes()]);
    return prunable(all, scope).map(({ id, names }) => ({
      id,
      names,
      bytes: own.get(id) ?? 0,
      stays: null,
    }));
  }

  /** Of what a preview showed: what something began to use meanwhile stays. */
  async prune(
    node: string,
    { ids, unused }: { ids: readonly string[]; unused: boolean },
  ): Promise<ImagePruneItem[]> {
    const engine = needImages(this.#parts.fleet, this.#node(node));
    const shown = new Set(ids);
    const items = await this.previewPrune(node, { unused });
    const done: ImagePruneItem[] = [];
    for (const item of items.filter(({ id }) => shown.has(id))) {
      done.push({ ...item, stays: await this.#letGo(engine, item) });
    }
    return done;
  }

  /**
   * Pulls an image, also where one of this name is there: the registry's may be newer. Yields how far
   * it is, and at its end the image. Leaving it ends the pull on the node.
   */
  async *pull(
    { node, reference }: { node: string; reference: string },
    signal: AbortSignal,
  ): AsyncGenerator<{ phase: string } | { id: string }> {
    const engine = needImages(this.#parts.fleet, this.#node(node));
    const leaving = new AbortController();
    let phase: string | undefined;
    let more = Promise.withResolvers<undefined>();
    const pulling = engine.pull(reference, {
      signal: AbortSignal.any([signal, leaving.signal]),
      onProgress: (words) => {
        phase = words;
        more.resolve(undefined);
      },
    });
    try {
      for (;;) {
        const id = await Promise.race([pulling, more.promise]);
        if (id !== undefined) {
          yield { id };
          return;
        }
        more = Promise.withResolvers();
        if (phase !== undefined) yield { phase };
      }
    } finally {
      leaving.abort();
      await pulling.catch(() => undefined);
    }
  }

  async #letGo(engine: ImageEngine, { id, names }: ImagePruneItem): Promise<string | null> {
    for (const reference of names.length === 0 ? [id] : names) {
      // Somebody may have begun to wait for it since it was looked at.
      if (this.#parts.waitingFor(reference).length > 0) return 'a task waits for it';
      if ((await engine.untag(reference)) === 'in-use') return 'something uses it';
    }
    return null;
  }

  async #look(engine: ImageEngine): Promise<ImageView[]> {
    const [images, users] = await Promise.all([engine.all(), engine.users()]);
    const unsaved = this.#parts.unsaved();
    return images
      .map(({ id, names, digests, sizeBytes, madeAt }) => ({
        id,
        names: [...names],
        sizeBytes,
        madeAt,
        usedBy: [
          ...(users.get(id) ?? []),
          ...new Set([...names, ...digests].flatMap((name) => this.#parts.waitingFor(name))),
        ].slice(0, mostUsers),
        kind: unsaved.has(id) ? ('environment' as const) : kindOf(names, this.#parts.isVps),
      }))
      .sort((a, b) => b.madeAt - a.madeAt);
  }

  #node(reference: string): NodeId {
    const found = this.#parts.fleet.find(reference);
    if (found === undefined) throw new UnknownNodeError(reference);
    return found.id;
  }
}

function checkKept(image: string, kind: ImageView['kind']): void {
  if (kind === 'environment' || kind === 'snapshot') throw keptElsewhere(image, kind);
}

/** By its ID, or a beginning of it as `docker images` shows. */
function isNamedBy(id: string, text: string): boolean {
  const hex = text.replace(/^sha256:/, '');
  return /^[a-f0-9]{12,64}$/.test(hex) && id.startsWith(`sha256:${hex}`);
}

function severalNames(image: string, names: readonly string[]): RequestError {
  return new RequestError(
    'conflict/state',
    `${image.slice(0, 19)} has ${String(names.length)} names (${names.slice(0, 5).join(', ')}). Remove them one by one.`,
    { retry: 'after-user-action' },
  );
}
