// Letting old versions go: first said, then done; what something needs stays.
import type { PruneItem } from '../../contract/environments.ts';
import type { NodeId } from '../../contract/ids.ts';
import { isOpen, oldVersions, type VersionRecord } from '../../domain/environments/environment.ts';
import type { ImageEngine } from '../../runtimes/image-engine.ts';
import type { EnvironmentBook } from './environment-book.ts';
import { usersOf } from './environment-service.ts';
import { imagesOf, nameOf, type EnvironmentParts } from './ports.ts';

interface Old {
  readonly environment: string;
  readonly version: VersionRecord;
}

export class Pruning {
  readonly #parts: EnvironmentParts;
  readonly #book: EnvironmentBook;

  constructor(parts: EnvironmentParts, book: EnvironmentBook) {
    this.#parts = parts;
    this.#book = book;
  }

  /** Old versions on the nodes that answer, with why some of them stay. */
  async preview(keep: number): Promise<PruneItem[]> {
    const old = this.#old(keep);
    const { fleet, log } = this.#parts;
    const asked = fleet.plannerNodes().map(async ({ id }) => {
      const engine = imagesOf(fleet, id);
      return engine === undefined ? [] : this.#look(engine, id, old);
    });
    return (await Promise.allSettled(asked)).flatMap((one) => {
      if (one.status === 'fulfilled') return one.value;
      log.warn({ err: one.reason as unknown }, 'a node could not be asked about old versions');
      return [];
    });
  }

  /** Removes what `preview` says would go; a version that is on no node any more is forgotten. */
  async prune(keep: number): Promise<PruneItem[]> {
    const items = await this.preview(keep);
    const done: PruneItem[] = [];
    for (const item of items) {
      const engine = imagesOf(this.#parts.fleet, item.nodeId);
      if (item.stays !== null || engine === undefined) done.push(item);
      else if ((await engine.untag(item.image)) === 'removed') done.push(item);
      else done.push({ ...item, stays: 'something began to use it' });
    }
    this.#forget(keep, done);
    await this.#parts.flushed();
    return done;
  }

  async #look(engine: ImageEngine, nodeId: NodeId, old: readonly Old[]): Promise<PruneItem[]> {
    const [images, users, own] = await Promise.all([
      engine.named('kohakuriver/*'),
      engine.users(),
      engine.ownBytes(),
    ]);
    const names = new Set(images.flatMap((image) => image.names));
    return old
      .filter(({ version }) => names.has(version.image))
      .map(({ environment, version }) => ({
        environment,
        image: version.image,
        nodeId,
        node: nameOf(this.#parts.fleet, nodeId),
        bytes: own.get(version.imageId) ?? 0,
        stays: this.#whyItStays(environment, version, usersOf(users, version.imageId)),
      }));
  }

  #whyItStays(
    environment: string,
    version: VersionRecord,
    users: readonly string[],
  ): string | null {
    const [user] = users;
    if (user !== undefined) return `${user} was made from it`;
    const [task] = this.#parts.waitingFor(version.image);
    if (task !== undefined) return `${task} names it`;
    const isMoving = this.#book
      .deliveriesOf(environment)
      .some((one) => isOpen(one) && one.versionId === version.id);
    return isMoving ? 'it is on its way to a node' : null;
  }

  #old(keep: number): Old[] {
    return this.#book
      .all()
      .flatMap((record) =>
        oldVersions(record, keep).map((version) => ({ environment: record.name, version })),
      );
  }

  /** A version that nobody asked has, and that was not kept back, is history; nodes that do not answer may have it still. */
  #forget(keep: number, done: readonly PruneItem[]): void {
    const stays = new Set(done.filter((item) => item.stays !== null).map(({ image }) => image));
    const gone = new Set(done.filter((item) => item.stays === null).map(({ image }) => image));
    for (const record of this.#book.all()) {
      const old = new Set(oldVersions(record, keep).map(({ id }) => id));
      const versions = record.versions.filter(
        ({ id, image }) => !old.has(id) || stays.has(image) || !gone.has(image),
      );
      if (versions.length < record.versions.length) this.#book.save({ ...record, versions });
    }
  }
}
