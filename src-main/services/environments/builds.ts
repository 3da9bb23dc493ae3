// Making environments: the container on its node with a terminal in it, or a Dockerfile that is run.
// What is wanted is on disk before it is done, and is done again after a restart or a lost link.
import { isAppError } from '../../contract/errors.ts';
import type { NodeId } from '../../contract/ids.ts';
import type { EnvironmentOrigin, EnvironmentVersion } from '../../contract/environments.ts';
import { versionId } from '../../contract/environments.ts';
import type {
  BuildRecord,
  EnvironmentRecord,
  VersionRecord,
} from '../../domain/environments/environment.ts';
import { buildContainerName, tagImage, versionImage } from '../../domain/environments/names.ts';
import { registriesIn } from '../../domain/registries/registry.ts';
import type { ImageEngine } from '../../runtimes/image-engine.ts';
import type { EnvironmentBook } from './environment-book.ts';
import { noBuild, notReady } from './errors.ts';
import { imagesOf, nameOf, needImages, whyNot, type EnvironmentParts } from './ports.ts';

const mostLines = 200;

export class EnvironmentBuilds implements AsyncDisposable {
  readonly #parts: EnvironmentParts;
  readonly #book: EnvironmentBook;
  readonly #working = new Map<string, { stop: AbortController; done: Promise<void> }>();
  /** Environments of which a version is being saved. */
  readonly #saving = new Set<string>();
  readonly #listening: Disposable;
  #isClosed = false;

  constructor(parts: EnvironmentParts, book: EnvironmentBook) {
    this.#parts = parts;
    this.#book = book;
    this.#listening = parts.fleet.onDidComeOnline((node) => this.#takeUp(node));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#listening[Symbol.dispose]();
    const all = [...this.#working.values()];
    for (const { stop } of all) stop.abort();
    await Promise.allSettled(all.map(({ done }) => done));
  }

  /** Begins one, in the place of whatever was being made under this name. Durable when it resolves. */
  async begin(
    name: string,
    given: { origin: EnvironmentOrigin; nodeId: NodeId; note: string },
  ): Promise<void> {
    const { origin, nodeId, note } = given;
    const before = this.#book.find(name);
    if (before?.build != null) await this.discard(name);
    const build: BuildRecord = {
      nodeId,
      origin,
      state: 'wanted',
      problem: null,
      base: null,
      imageId: null,
    };
    const { clock } = this.#parts;
    this.#book.save({
      name,
      note: note === '' ? (before?.note ?? '') : note,
      createdAt: before?.createdAt ?? clock.now(),
      versions: before?.versions ?? [],
      build,
    });
    await this.#parts.flushed();
    this.#work(name);
  }

  async start(name: string): Promise<void> {
    const { engine, container } = this.#container(name);
    await engine.startBuild(container);
    this.#book.setProgress(name, { isRunning: true });
  }

  async stop(name: string): Promise<void> {
    const { engine, container } = this.#container(name);
    await engine.stopBuild(container);
    this.#book.setProgress(name, { isRunning: false });
  }

  /** Gives up what is being made; versions stay. Throws where its node cannot be asked. */
  async discard(name: string): Promise<void> {
    const record = this.#book.need(name);
    const { build } = record;
    if (build === null) return;
    await this.#end(name);
    if (build.origin.kind === 'image') {
      await needImages(this.#parts.fleet, build.nodeId).removeBuild(buildContainerName(name));
    }
    this.#book.setProgress(name, { isRunning: false, phase: null, output: [] });
    this.#book.save({ ...this.#book.need(name), build: null });
    await this.#parts.flushed();
  }

  /** Keeps what is made as the newest version of a tag. When it throws, nothing was kept. */
  async save(
    name: string,
    { tag, note }: { tag: string; note: string },
  ): Promise<EnvironmentVersion> {
    const { build } = this.#book.need(name);
    if (build === null) throw noBuild(name);
    if (build.state !== 'made') throw notReady(name, build.problem ?? 'it is still being made.');
    if (this.#saving.has(name)) throw notReady(name, 'a version of it is being saved already.');
    this.#saving.add(name);
    this.#book.setProgress(name, { phase: 'saving a version' });
    try {
      return await this.#save(name, build, { tag, note });
    } finally {
      this.#saving.delete(name);
      this.#book.setProgress(name, { phase: null });
    }
  }

  async #save(
    name: string,
    build: BuildRecord,
    { tag, note }: { tag: string; note: string },
  ): Promise<EnvironmentVersion> {
    const { fleet, clock, newId } = this.#parts;
    const engine = needImages(fleet, build.nodeId);
    const imageId = build.imageId ?? (await this.#commit(engine, name, note));
    const info = await engine.image(imageId);
    if (info === undefined) throw notReady(name, 'what was saved is not on its node any more.');
    const newest = this.#book.need(name).versions.at(-1)?.madeAt ?? 0;
    // Two in one second would have one name.
    const madeAt = Math.max(clock.now(), newest + 1000);
    const image = versionImage(name, tag, madeAt);
    // The name for good first: the tag means something only when that is there.
    await engine.tag(imageId, image);
    await engine.tag(imageId, tagImage(name, tag));
    const version = {
      id: versionId.parse(newId()),
      tag,
      image,
      imageId,
      note,
      sizeBytes: info.sizeBytes,
      layers: info.layers.length,
      madeAt,
      madeOnId: build.nodeId,
    };
    await this.#keep(name, build, version);
    const { madeOnId, ...rest } = version;
    return { ...rest, madeOn: nameOf(fleet, madeOnId), isCurrent: true };
  }

  /** Nothing may change between what is saved and what is gone on from. */
  async #commit(engine: ImageEngine, name: string, note: string): Promise<string> {
    const container = buildContainerName(name);
    await engine.stopBuild(container);
    this.#book.setProgress(name, { isRunning: false });
    try {
      return await engine.commitBuild(container, { note });
    } catch (error) {
      await this.start(name);
      throw error;
    }
  }

  /**
   * Once the version is on disk its container is made anew from it: what is saved next is then only
   * what has changed since, and only that has to be moved.
   */
  async #keep(name: string, build: BuildRecord, version: VersionRecord): Promise<void> {
    const record = this.#book.need(name);
    const versions = [...record.versions, version];
    const isWorkedIn = build.origin.kind === 'image';
    const next = isWorkedIn ? { ...build, state: 'wanted' as const, base: version.image } : build;
    this.#book.save({ ...record, versions, build: next });
    await this.#parts.flushed();
    if (!isWorkedIn) return;
    // Whatever stops this, the build stays wanted: the container that is there is started, or made.
    await imagesOf(this.#parts.fleet, build.nodeId)?.removeBuild(buildContainerName(name));
    this.#work(name);
    await this.#working.get(name)?.done;
  }

  /** What was wanted on a node that is there again; and whether containers there run. */
  #takeUp(node: NodeId): void {
    for (const { name, build } of this.#book.all()) {
      if (build?.nodeId !== node) continue;
      if (build.state === 'wanted') this.#work(name);
      else if (build.origin.kind === 'image') void this.#look(name, node);
    }
  }

  async #look(name: string, node: NodeId): Promise<void> {
    try {
      const look = await imagesOf(this.#parts.fleet, node)?.lookAtBuild(buildContainerName(name));
      const { build } = this.#book.need(name);
      if (look?.isOurs === true) this.#book.setProgress(name, { isRunning: look.isRunning });
      else if (build?.state === 'made') {
        const problem = `Its container is not on ${nameOf(this.#parts.fleet, node)} any more: somebody removed it there.`;
        this.#book.changeBuild(name, build, { state: 'failed', problem });
      }
    } catch (error) {
      this.#parts.log.debug({ err: error, environment: name }, 'a build could not be looked at');
    }
  }

  #work(name: string): void {
    if (this.#isClosed || this.#working.has(name)) return;
    const stop = new AbortController();
    const done = this.#make(name, stop.signal).finally(() => this.#working.delete(name));
    this.#working.set(name, { stop, done });
  }

  async #end(name: string): Promise<void> {
    const work = this.#working.get(name);
    work?.stop.abort();
    await work?.done;
  }

  /** Never throws: the record says how it went. What is out of reach stays wanted. */
  async #make(name: string, signal: AbortSignal): Promise<void> {
    const record = this.#book.find(name);
    const build = record?.build;
    if (record === undefined || build?.state !== 'wanted') return;
    const { fleet, log } = this.#parts;
    const engine = imagesOf(fleet, build.nodeId);
    if (engine === undefined) {
      const node = nameOf(fleet, build.nodeId);
      this.#book.setProgress(name, {
        phase: `waits for ${node}: ${whyNot(fleet.node(build.nodeId))}`,
      });
      return;
    }
    try {
      const imageId = await this.#makeOn(engine, { record, build, signal });
      this.#book.changeBuild(name, build, { state: 'made', problem: null, imageId });
      this.#book.setProgress(name, { phase: null, isRunning: build.origin.kind === 'image' });
    } catch (error) {
      if (signal.aborted) return;
      this.#book.setProgress(name, { phase: null });
      if (isAppError(error) && error.code.startsWith('link/')) return;
      if (!isAppError(error)) log.error({ err: error, environment: name }, 'a build failed');
      const problem = isAppError(error) ? error.message : 'It failed for a reason in the log.';
      this.#book.changeBuild(name, build, { state: 'failed', problem });
    }
  }

  async #makeOn(
    engine: ImageEngine,
    work: { record: EnvironmentRecord; build: BuildRecord; signal: AbortSignal },
  ): Promise<string | null> {
    const { record, build, signal } = work;
    const { name } = record;
    const { origin } = build;
    if (origin.kind === 'image') {
      const node = nameOf(this.#parts.fleet, build.nodeId);
      const onProgress = (phase: string) => this.#book.setProgress(name, { phase });
      await engine.ensureBuild(
        { environment: name, reference: build.base ?? origin.reference, node },
        {
          signal,
          onProgress,
        },
      );
      return null;
    }
    const lines: string[] = [];
    return engine.runDockerfile(this.#parts.dockerfile(origin.text), {
      environment: name,
      registries: registriesIn(origin.text),
      signal,
      onLine: (line) => {
        lines.push(line);
        if (lines.length > mostLines) lines.shift();
        const step = /^Step \d+\/\d+/.exec(line)?.[0];
        this.#book.setProgress(name, {
          output: [...lines],
          ...(step === undefined ? {} : { phase: `running its Dockerfile: ${step}` }),
        });
      },
    });
  }

  #container(name: string): { engine: ImageEngine; container: string } {
    const { build } = this.#book.need(name);
    if (build?.origin.kind !== 'image') throw noBuild(name);
    if (build.state !== 'made') throw notReady(name, build.problem ?? 'it is still being made.');
    return {
      engine: needImages(this.#parts.fleet, build.nodeId),
      container: buildContainerName(name),
    };
  }
}
