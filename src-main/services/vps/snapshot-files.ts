// Snapshots taken out as files, and VPSes made of such files on any node.
import type { Readable } from 'node:stream';
import { isAppError, RequestError } from '../../contract/errors.ts';
import type { NodeId, TaskId } from '../../contract/ids.ts';
import {
  snapshotFileName,
  type ImportSnapshotInput,
  type SnapshotHead,
  type SnapshotRef,
} from '../../contract/snapshot-files.ts';
import { vpsName, vpsSubmission, type SshRequest, type VpsView } from '../../contract/vps.ts';
import type { ImageEngine } from '../../runtimes/image-engine.ts';
import { imagesOf, nameOf, needImages, whyNot } from '../environments/ports.ts';
import { nodeNotThere } from '../environments/errors.ts';
import type { Fleet, FleetNode } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { VpsCreation } from './vps-creation.ts';
import type { VpsService } from './vps-service.ts';
import { snapshotImage, type VpsSnapshots } from './vps-snapshots.ts';

export interface SnapshotFilesParts {
  readonly snapshots: Pick<VpsSnapshots, 'source'>;
  readonly creation: Pick<VpsCreation, 'create' | 'check' | 'checkName'>;
  readonly service: Pick<VpsService, 'get'>;
  readonly fleet: Fleet;
  readonly isLocal: (node: NodeId) => boolean;
  readonly newId: () => TaskId;
  readonly log: Logger;
  /** The store's: how such a file is written and read. */
  readonly pack: (saved: Readable, head: SnapshotHead, signal: AbortSignal) => Readable;
  readonly open: (
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ) => Promise<{ head: SnapshotHead; image: Readable }>;
  /** Writes into the Downloads folder of this computer. Throws `files/taken`. */
  readonly download: (
    name: string,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ) => Promise<{ path: string; size: number }>;
}

/** How often it is told at most how far a download is, in bytes. */
const tellBytes = 4 * 1024 * 1024;
const mostNames = 100;

interface Progress {
  bytes: number;
  told: number;
  /** Resolved when there is enough to tell. */
  more: PromiseWithResolvers<undefined>;
}

export class SnapshotFiles {
  readonly #parts: SnapshotFilesParts;

  constructor(parts: SnapshotFilesParts) {
    this.#parts = parts;
  }

  /**
   * The file of a snapshot, as fast as it is read. Throws `not-found/snapshot`, `vps/out-of-reach`,
   * DockerError; when it breaks off, what was read by then is no snapshot and says so when it is opened.
   */
  async *export({ vps, tag }: SnapshotRef, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const source = await this.#parts.snapshots.source(vps, tag);
    const engine = needImages(this.#parts.fleet, source.nodeId);
    const info = await engine.image(source.image);
    if (info === undefined) throw gone(tag);
    const { task, record } = source.vps;
    const { mode, publicKey } = record.ssh;
    const head: SnapshotHead = {
      format: 'kohakuriver-snapshot',
      version: 1,
      vps: {
        id: task.id,
        name: task.spec.name ?? `vps-${task.id.slice(-6)}`,
        cores: task.spec.cores,
        memoryBytes: task.spec.memoryBytes,
      },
      ssh: { mode, publicKey },
      tag,
      note: source.note,
      imageId: info.id,
      sizeBytes: info.sizeBytes,
      architecture: info.architecture,
      os: info.os,
    };
    // By its ID: an archive of a name would carry that name.
    const file = this.#parts.pack(await engine.save(info.id), head, signal);
    try {
      for await (const chunk of file as AsyncIterable<Buffer>) yield chunk;
    } catch (error) {
      if (isAppError(error) || signal.aborted) throw error;
      throw nodeNotThere(
        nameOf(this.#parts.fleet, source.nodeId),
        'it broke off while the snapshot was read.',
      );
    }
  }

  /** Writes it into the Downloads folder of this computer, under a name that is free, telling how far it is. */
  async *save(
    ref: SnapshotRef,
    signal: AbortSignal,
  ): AsyncGenerator<{ bytes: number } | { path: string; size: number }> {
    const { vps } = await this.#parts.snapshots.source(ref.vps, ref.tag);
    const leaving = new AbortController();
    const both = AbortSignal.any([signal, leaving.signal]);
    const progress = { bytes: 0, told: 0, more: Promise.withResolvers<undefined>() };
    const name = snapshotFileName(vps.task.spec.name ?? ref.vps, ref.tag);
    const writing = this.#download(name, { ref, progress, signal: both });
    try {
      for (;;) {
        const file = await Promise.race([writing, progress.more.promise]);
        if (file !== undefined) {
          yield file;
          return;
        }
        progress.told = progress.bytes;
        progress.more = Promise.withResolvers();
        yield { bytes: progress.bytes };
      }
    } finally {
      leaving.abort();
      await writing.catch(() => undefined);
    }
  }

  /**
   * Makes a VPS of a file. The image gets its name only when it is whole and what the file said, and
   * the VPS is there only after that. Throws SnapshotFileError, `conflict/name-taken`, DockerError;
   * nothing of it is kept then.
   */
  async import(
    input: ImportSnapshotInput,
    bytes: AsyncIterable<Uint8Array>,
    { signal, who }: { signal: AbortSignal; who: string },
  ): Promise<VpsView> {
    const { creation, service, newId, open } = this.#parts;
    if (input.name !== undefined) creation.checkName(input.name);
    const node = this.#target(input.node);
    const engine = needImages(this.#parts.fleet, node.id);
    const { head, image } = await open(bytes, signal);
    try {
      const name = input.name ?? nameIn(head);
      creation.checkName(name);
      checkProcessors(head, node);
      const id = newId();
      const reference = snapshotImage(id, head.tag);
      const submission = vpsSubmission.parse({
        name,
        target: node.name,
        cores: head.vps.cores,
        memoryBytes: head.vps.memoryBytes,
        vessel: { kind: 'image', reference },
        ssh: sshOf(head),
      });
      // Before gigabytes are on their way for nothing.
      creation.check(submission);
      await this.#takeIn(engine, { head, image, reference, signal });
      try {
        await creation.create(submission, who, id);
      } catch (error) {
        await this.#letGo(engine, reference);
        throw error;
      }
      return service.get(id);
    } finally {
      image.destroy();
    }
  }

  async #takeIn(
    engine: ImageEngine,
    given: { head: SnapshotHead; image: Readable; reference: string; signal: AbortSignal },
  ): Promise<void> {
    const { head, image, reference, signal } = given;
    await engine.load(image);
    if ((await engine.image(head.imageId)) === undefined) {
      throw new RequestError(
        'docker/image-import',
        'The Engine keeps this image under another identity than it had: nothing was made of it. Its Docker uses another image store than the node it came from.',
      );
    }
    await engine.tag(head.imageId, reference);
    if (!signal.aborted) return;
    // Nobody waits for it any more.
    await this.#letGo(engine, reference);
    signal.throwIfAborted();
  }

  async #letGo(engine: ImageEngine, reference: string): Promise<void> {
    await engine.untag(reference).catch((error: unknown) => {
      this.#parts.log.warn({ err: error, image: reference }, 'an image could not be let go');
    });
  }

  async #download(
    name: string,
    given: { ref: SnapshotRef; progress: Progress; signal: AbortSignal },
  ): Promise<{ path: string; size: number }> {
    const { ref, progress, signal } = given;
    for (let tries = 1; ; tries += 1) {
      const free = tries === 1 ? name : name.replace('.', ` (${String(tries)}).`);
      try {
        const bytes = counted(this.export(ref, signal), progress);
        return await this.#parts.download(free, bytes, signal);
      } catch (error) {
        // A name that is taken is found out before anything is read, but where somebody was faster.
        const isTaken = isAppError(error) && error.code === 'files/taken' && progress.bytes === 0;
        if (!isTaken || tries >= mostNames) throw error;
      }
    }
  }

  #target(reference: string | undefined): FleetNode {
    const { fleet, isLocal } = this.#parts;
    if (reference !== undefined) {
      const found = fleet.find(reference);
      if (found !== undefined) return found;
      throw new RequestError('not-found/node', `There is no node ${reference}.`);
    }
    const ids = fleet.plannerNodes().map(({ id }) => id);
    const able = ids.filter((id) => imagesOf(fleet, id) !== undefined);
    const chosen = able.find(isLocal) ?? able[0] ?? ids[0];
    const node = chosen === undefined ? undefined : fleet.node(chosen);
    if (node !== undefined) return node;
    throw nodeNotThere('A node', whyNot(undefined));
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    progress.bytes += chunk.length;
    if (progress.bytes - progress.told >= tellBytes) progress.more.resolve(undefined);
    yield chunk;
  }
}

function nameIn({ vps }: SnapshotHead): string {
  const name = vpsName.safeParse(vps.name);
  if (name.success) return name.data;
  throw new RequestError(
    'input/invalid',
    'The name in the file cannot be the name of a VPS. Give it another one.',
    { details: { field: 'name' } },
  );
}

function sshOf({ ssh }: SnapshotHead): SshRequest {
  if (ssh.publicKey !== null) return { mode: 'upload', publicKey: ssh.publicKey };
  return { mode: ssh.mode === 'none' ? 'none' : 'disabled' };
}

/** As `uname -m` and Docker call them. */
const processors: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64' };

function checkProcessors({ architecture }: SnapshotHead, { name, facts }: FleetNode): void {
  const own = facts === null ? undefined : processors[facts.arch];
  if (own === undefined || own === architecture || architecture === '') return;
  throw new RequestError(
    'snapshot/architecture',
    `The snapshot is for ${architecture}, and ${name} has ${own}. Choose another node.`,
    { retry: 'after-user-action', details: { architecture, node: name } },
  );
}

function gone(tag: string): RequestError {
  return new RequestError('not-found/snapshot', `The snapshot ${tag} is not on its node any more.`);
}
