// Images of one node, and the containers environments are made in. docker/environments/ implements it.
import type { Readable } from 'node:stream';
import type { Instant } from '../contract/ids.ts';

export interface ImageInfo {
  /** `sha256:…` of its configuration. */
  readonly id: string;
  /** `sha256:…` of each layer, from the bottom. */
  readonly layers: readonly string[];
  readonly sizeBytes: number;
  readonly architecture: string;
  readonly os: string;
}

/** An image with the names it has on the node. */
export interface NamedImage {
  readonly id: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/** Who we are for a registry. */
export interface RegistryAccount {
  readonly username: string;
  readonly password: string;
}

/** Undefined where nothing is kept for a registry. */
export type FindAccount = (registry: string) => RegistryAccount | undefined;

/** Any image of the node. */
export interface ListedImage extends NamedImage {
  readonly madeAt: Instant;
  /** `debian@sha256:…`, as registries gave it out. */
  readonly digests: readonly string[];
}

export interface BuildLook {
  readonly isRunning: boolean;
  /** Made for this core. */
  readonly isOurs: boolean;
}

interface LongWork {
  readonly signal: AbortSignal;
  /** A sentence about how far it is. Called often; the latest counts. */
  readonly onProgress: (words: string) => void;
}

export interface ImageEngine {
  /** Undefined when there is none under this name or ID. */
  image(reference: string): Promise<ImageInfo | undefined>;
  /** The layers of every image there, intermediate ones too. */
  layersOfAll(): Promise<readonly (readonly string[])[]>;
  /** Images with a name in these repositories (`kohakuriver/*`). */
  named(repositories: string): Promise<readonly NamedImage[]>;
  /** Every image but those that are only layers of others. */
  all(): Promise<readonly ListedImage[]>;
  /** Pulls what the registry has under this name now. Returns its ID. Aborting ends the pull on the node. */
  pull(reference: string, work: LongWork): Promise<string>;
  /** Names of the containers that were made from each image, by its ID; whoever made them. */
  users(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What would be free if an image went, by its ID: what it shares with others stays. */
  ownBytes(): Promise<ReadonlyMap<string, number>>;
  tag(imageId: string, reference: string): Promise<void>;
  /** Takes a name away, and the image with its last name. `in-use`: a container needs it. */
  untag(reference: string): Promise<'removed' | 'in-use'>;
  /** One image as one stream, as `docker save` writes it. */
  save(imageId: string): Promise<Readable>;
  /** Takes in what `save` gave out, or a part of it whose lower layers are there. */
  load(from: Readable): Promise<void>;

  /** Asks a registry whether it lets this one in. Throws DockerError with `registry/…` where it does not. */
  checkRegistry(registry: string, account: RegistryAccount): Promise<void>;

  /** Undefined when there is no container of this name. */
  lookAtBuild(container: string): Promise<BuildLook | undefined>;
  /** Makes the container of an environment from an image, fetched where it is missing, and starts it. One that is there and ours is started. */
  ensureBuild(
    what: { readonly environment: string; readonly reference: string; readonly node: string },
    work: LongWork,
  ): Promise<void>;
  startBuild(container: string): Promise<void>;
  stopBuild(container: string): Promise<void>;
  /** Refuses what is not ours; what is gone already is success. */
  removeBuild(container: string): Promise<void>;
  /** Makes an image of the container as it is now, held still meanwhile. Returns its ID. */
  commitBuild(container: string, options: { readonly note: string }): Promise<string>;
  /** Runs a Dockerfile; `context` is a tar with it. Returns the ID of what it made. */
  runDockerfile(
    context: Readable,
    options: {
      readonly environment: string;
      /** Those its images come from: what is kept for them goes along. */
      readonly registries: readonly string[];
      readonly onLine: (line: string) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<string>;
}
