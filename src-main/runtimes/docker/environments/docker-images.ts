// What can be done with the images of a node's Engine (runtimes/image-engine.ts).
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { Clock } from '../../../domain/clock.ts';
import type { CoreId } from '../../../contract/ids.ts';
import { buildContainerName } from '../../../domain/environments/names.ts';
import type {
  BuildLook,
  FindAccount,
  ImageEngine,
  ImageInfo,
  ListedImage,
  NamedImage,
  RegistryAccount,
} from '../../image-engine.ts';
import { inspectContainer } from '../containers.ts';
import { ensureImage, pullImage } from '../images.ts';
import { environmentLabels } from '../labels.ts';
import { imageOf } from '../reference.ts';
import { checkRegistry, registriesHeader } from '../registry.ts';
import * as build from './build-container.ts';
import * as images from './images.ts';
import { listImages } from './node-images.ts';

export class DockerImages implements ImageEngine {
  readonly #docker: Dockerode;
  readonly #core: CoreId;
  readonly #clock: Clock;
  readonly #account: FindAccount;
  readonly #layers = new Map<string, readonly string[]>();

  constructor({
    docker,
    core,
    clock,
    account,
  }: {
    docker: Dockerode;
    core: CoreId;
    clock: Clock;
    account: FindAccount;
  }) {
    this.#account = account;
    this.#docker = docker;
    this.#core = core;
    this.#clock = clock;
  }

  image(reference: string): Promise<ImageInfo | undefined> {
    return images.describeImage(this.#docker, reference);
  }

  layersOfAll(): Promise<readonly (readonly string[])[]> {
    return images.layersOfAll(this.#docker, this.#layers);
  }

  named(repositories: string): Promise<readonly NamedImage[]> {
    return images.namedImages(this.#docker, repositories);
  }

  all(): Promise<readonly ListedImage[]> {
    return listImages(this.#docker);
  }

  async pull(
    text: string,
    work: { signal: AbortSignal; onProgress: (words: string) => void },
  ): Promise<string> {
    const reference = imageOf({ kind: 'image', reference: text });
    const options = { ...work, clock: this.#clock, account: this.#account };
    return (await pullImage(this.#docker, reference, options)).imageId;
  }

  users(): Promise<ReadonlyMap<string, readonly string[]>> {
    return images.imageUsers(this.#docker);
  }

  ownBytes(): Promise<ReadonlyMap<string, number>> {
    return images.ownBytes(this.#docker);
  }

  tag(imageId: string, reference: string): Promise<void> {
    return images.tagImage(this.#docker, imageId, reference);
  }

  untag(reference: string): Promise<'removed' | 'in-use'> {
    return images.untagImage(this.#docker, reference);
  }

  save(imageId: string): Promise<Readable> {
    return images.saveImage(this.#docker, imageId);
  }

  load(from: Readable): Promise<void> {
    return images.loadImage(this.#docker, from);
  }

  checkRegistry(registry: string, account: RegistryAccount): Promise<void> {
    return checkRegistry(this.#docker, registry, account);
  }

  async lookAtBuild(container: string): Promise<BuildLook | undefined> {
    const found = await inspectContainer(this.#docker, container);
    if (found === undefined) return undefined;
    return { isRunning: found.status === 'running', isOurs: found.labels.core === this.#core };
  }

  async ensureBuild(
    what: { environment: string; reference: string; node: string },
    work: { signal: AbortSignal; onProgress: (words: string) => void },
  ): Promise<void> {
    const name = buildContainerName(what.environment);
    if ((await build.findBuild(this.#docker, this.#core, name)) === undefined) {
      const reference = imageOf({ kind: 'image', reference: what.reference });
      const options = { ...work, clock: this.#clock, account: this.#account };
      const { imageId } = await ensureImage(this.#docker, reference, options);
      await build.createBuild(this.#docker, this.#core, { ...what, imageId: imageId ?? '' });
    }
    await this.startBuild(name);
  }

  async startBuild(container: string): Promise<void> {
    await build.startBuild(this.#docker, await this.#need(container));
  }

  async stopBuild(container: string): Promise<void> {
    await build.stopBuild(this.#docker, await this.#need(container));
  }

  async removeBuild(container: string): Promise<void> {
    const found = await build.findBuild(this.#docker, this.#core, container);
    if (found !== undefined) await build.removeBuild(this.#docker, found);
  }

  async commitBuild(container: string, options: { note: string }): Promise<string> {
    return build.commitBuild(this.#docker, await this.#need(container), options);
  }

  runDockerfile(
    context: Readable,
    options: {
      environment: string;
      registries: readonly string[];
      onLine: (line: string) => void;
      signal: AbortSignal;
    },
  ): Promise<string> {
    const { environment, registries, ...rest } = options;
    const labels = environmentLabels(this.#core, {
      environment,
      reference: 'Dockerfile',
      node: '',
    });
    return build.runDockerfile(this.#docker, context, {
      ...rest,
      labels,
      registryconfig: registriesHeader(registries, this.#account),
    });
  }

  #need(container: string) {
    return build.needBuild(this.#docker, this.#core, container);
  }
}
