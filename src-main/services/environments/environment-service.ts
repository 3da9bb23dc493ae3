// Environments as people use them. What is on nodes is asked of them; what was saved is kept here.
import type {
  Delivery,
  DeliveryId,
  EnvironmentOrigin,
  EnvironmentPlace,
  EnvironmentVersion,
  EnvironmentView,
  VersionId,
} from '../../contract/environments.ts';
import type { NodeId } from '../../contract/ids.ts';
import {
  currentVersion,
  type EnvironmentRecord,
  type VersionRecord,
} from '../../domain/environments/environment.ts';
import { buildContainerName, tagImage } from '../../domain/environments/names.ts';
import { UnknownNodeError } from '../nodes/errors.ts';
import type { EnvironmentBuilds } from './builds.ts';
import type { Deliveries } from './deliveries.ts';
import type { EnvironmentBook } from './environment-book.ts';
import { environmentInUse, nodeNotThere, notDelivered, unknownVersion } from './errors.ts';
import { imagesOf, nameOf, needImages, whyNot, type EnvironmentParts } from './ports.ts';

export class EnvironmentService {
  readonly #parts: EnvironmentParts;
  readonly #book: EnvironmentBook;
  readonly #builds: EnvironmentBuilds;
  readonly #deliveries: Deliveries;

  constructor(
    parts: EnvironmentParts,
    rooms: { book: EnvironmentBook; builds: EnvironmentBuilds; deliveries: Deliveries },
  ) {
    this.#parts = parts;
    this.#book = rooms.book;
    this.#builds = rooms.builds;
    this.#deliveries = rooms.deliveries;
  }

  get onDidChange(): EnvironmentBook['onDidChange'] {
    return this.#book.onDidChange;
  }

  list(): EnvironmentView[] {
    return this.#book.all().map((record) => this.#book.view(record));
  }

  get(name: string): EnvironmentView {
    return this.#book.view(this.#book.need(name));
  }

  async create(given: {
    name: string;
    origin: EnvironmentOrigin;
    node?: string | undefined;
    note: string;
  }): Promise<EnvironmentView> {
    const nodeId = given.node === undefined ? this.#usualNode() : this.#node(given.node);
    needImages(this.#parts.fleet, nodeId);
    await this.#builds.begin(given.name, { origin: given.origin, nodeId, note: given.note });
    return this.get(given.name);
  }

  async start(name: string): Promise<EnvironmentView> {
    await this.#builds.start(name);
    return this.get(name);
  }

  async stop(name: string): Promise<EnvironmentView> {
    await this.#builds.stop(name);
    return this.get(name);
  }

  async discard(name: string): Promise<EnvironmentView> {
    await this.#builds.discard(name);
    return this.get(name);
  }

  save(name: string, options: { tag: string; note: string }): Promise<EnvironmentVersion> {
    return this.#builds.save(name, options);
  }

  /** Of the nodes that answer. */
  async places(name: string): Promise<EnvironmentPlace[]> {
    const { versions } = this.#book.need(name);
    const found = await this.#onEachNode(async (nodeId, node) => {
      const engine = needImages(this.#parts.fleet, nodeId);
      const [images, users] = await Promise.all([
        engine.named(`kohakuriver/${name}`),
        engine.users(),
      ]);
      const there = new Set(images.map(({ id }) => id));
      return versions
        .filter(({ imageId }) => there.has(imageId))
        .map(({ id, imageId }) => ({
          versionId: id,
          nodeId,
          node,
          usedBy: usersOf(users, imageId),
        }));
    });
    return found.flat();
  }

  async distribute(
    name: string,
    what: { tag: string; version?: VersionId | undefined; nodes: readonly string[] },
  ): Promise<Delivery[]> {
    const record = this.#book.need(name);
    const version = this.#version(record, what);
    const nodes =
      what.nodes.length === 0 ? this.#withDocker() : what.nodes.map((node) => this.#node(node));
    const asked = nodes.map((node) => this.#deliveries.ask(name, version, node));
    await this.#parts.flushed();
    this.#deliveries.wake();
    return asked.map((one) => this.#book.viewDelivery(this.#book.delivery(one.id) ?? one));
  }

  async cancelDelivery(id: DeliveryId): Promise<Delivery> {
    const record = await this.#deliveries.cancel(id);
    if (record === undefined) throw unknownVersion('The list', `delivery ${id}`);
    return this.#book.viewDelivery(record);
  }

  /** Throws `environment/in-use` with nothing changed. Returns what stays where, because a node does not answer. */
  async remove(name: string): Promise<string[]> {
    const record = this.#book.need(name);
    const own = buildContainerName(name);
    const places = await this.places(name);
    const users = places.flatMap(({ node, usedBy }) =>
      usedBy.filter((user) => user !== own).map((user) => `${user} on ${node}`),
    );
    const waiting = imagesNamed(record).flatMap((image) => this.#parts.waitingFor(image));
    if (users.length + waiting.length > 0) throw environmentInUse(name, [...waiting, ...users]);
    for (const { id } of this.#book.deliveriesOf(name)) await this.#deliveries.cancel(id);
    await this.#builds.discard(name);
    await this.#onEachNode((nodeId) => this.#removeImages(nodeId, record));
    this.#book.remove(name);
    await this.#parts.flushed();
    const asked = new Set(this.#withDocker());
    const made = new Set(record.versions.map(({ madeOnId }) => madeOnId));
    return [...made]
      .filter((node) => !asked.has(node))
      .map((node) => `images on ${nameOf(this.#parts.fleet, node)}, which does not answer`);
  }

  /**
   * Sees to it that an environment a task names is on its node as its tag means it now. What is no
   * environment of ours is left to the Engine. Throws EnvironmentError when it cannot be brought.
   */
  async bring(
    image: string,
    nodeId: NodeId,
    work: { signal: AbortSignal; onProgress: (words: string) => void },
  ): Promise<void> {
    const found = this.#named(image);
    if (found === undefined) return;
    const { record, version } = found;
    const there = await imagesOf(this.#parts.fleet, nodeId)?.image(image);
    if (there?.id === version.imageId) return;
    const delivery = this.#deliveries.ask(record.name, version, nodeId);
    const ended = this.#whenEnded(delivery.id, work);
    this.#deliveries.wake();
    await ended;
  }

  #whenEnded(
    id: DeliveryId,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (words: string) => void },
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const told = () => {
      const record = this.#book.delivery(id);
      if (record !== undefined) onProgress(`bringing its environment: ${record.words}`);
    };
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    const listening = [
      this.#book.onDidChange(told),
      this.#deliveries.onDidEnd((record) => {
        if (record.id !== id) return;
        if (record.state === 'done') resolve(undefined);
        else reject(notDelivered(`Its environment could not be brought: ${record.words}`));
      }),
    ];
    if (signal.aborted) abort();
    return promise.finally(() => {
      signal.removeEventListener('abort', abort);
      for (const one of listening) one[Symbol.dispose]();
    });
  }

  /** What an image name means here. */
  #named(image: string): { record: EnvironmentRecord; version: VersionRecord } | undefined {
    for (const record of this.#book.all()) {
      const version =
        record.versions.find((one) => one.image === image) ??
        record.versions.findLast(({ tag }) => tagImage(record.name, tag) === image);
      if (version !== undefined) return { record, version };
    }
    return undefined;
  }

  async #removeImages(nodeId: NodeId, record: EnvironmentRecord): Promise<void> {
    const engine = needImages(this.#parts.fleet, nodeId);
    for (const image of imagesNamed(record)) await engine.untag(image);
  }

  #version(
    record: EnvironmentRecord,
    { tag, version }: { tag: string; version?: VersionId | undefined },
  ): VersionRecord {
    const found =
      version === undefined
        ? currentVersion(record, tag)
        : record.versions.find(({ id }) => id === version);
    if (found === undefined) throw unknownVersion(record.name, version ?? tag);
    return found;
  }

  #node(reference: string): NodeId {
    const found = this.#parts.fleet.find(reference);
    if (found === undefined) throw new UnknownNodeError(reference);
    return found.id;
  }

  #withDocker(): NodeId[] {
    const { fleet } = this.#parts;
    return fleet
      .plannerNodes()
      .map(({ id }) => id)
      .filter((id) => imagesOf(fleet, id) !== undefined);
  }

  /** This computer where it has Docker, else the first node that has. */
  #usualNode(): NodeId {
    const { fleet } = this.#parts;
    const all = this.#withDocker();
    const here = all.find((id) => this.#parts.isLocal(id));
    const found = here ?? all[0];
    if (found !== undefined) return found;
    const [first] = fleet.plannerNodes();
    throw nodeNotThere(
      first === undefined ? 'A node' : first.name,
      first === undefined ? 'there is none with Docker.' : whyNot(fleet.node(first.id)),
    );
  }

  /** Asks the nodes that answer, at the same time; one that stops answering meanwhile is left out. */
  async #onEachNode<T>(ask: (nodeId: NodeId, name: string) => Promise<T>): Promise<T[]> {
    const { fleet, log } = this.#parts;
    const asked = this.#withDocker().map(async (id) => ask(id, nameOf(fleet, id)));
    const found = await Promise.allSettled(asked);
    return found.flatMap((one) => {
      if (one.status === 'fulfilled') return [one.value];
      log.warn({ err: one.reason as unknown }, 'a node could not be asked about environments');
      return [];
    });
  }
}

/** Every name it has on nodes: those for good, and its tags. */
export function imagesNamed({ name, versions }: EnvironmentRecord): string[] {
  return [...new Set(versions.flatMap(({ image, tag }) => [image, tagImage(name, tag)]))];
}

export function usersOf(users: ReadonlyMap<string, readonly string[]>, imageId: string): string[] {
  return [...(users.get(imageId) ?? [])].slice(0, 100);
}
