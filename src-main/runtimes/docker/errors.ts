// What can go wrong with the Docker Engine, and the one place that reads dockerode's errors.
import { AppError, type AppErrorOptions } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';

/** Base of everything that goes wrong with the Docker Engine. */
export abstract class DockerError extends AppError<
  Extract<ErrorCode, `docker/${string}` | `registry/${string}`>
> {}

/** The Engine does not answer: it is not running, or the way to it broke. */
export class DockerConnectionError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/connection', message, { retry: 'later', ...options });
  }
}

/** The login user may not use the Engine. */
export class DockerDeniedError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/denied', message, { retry: 'after-user-action', ...options });
  }
}

/** There is no Docker on the node. */
export class DockerAbsentError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/absent', message, { retry: 'after-user-action', ...options });
  }
}

export class ContainerNotFoundError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/container-not-found', message, options);
  }
}

/** The Engine refused to create the container as asked. */
export class ContainerCreationError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/container-creation', message, options);
  }
}

/** The container is there, but the Engine could not do what was asked with it. */
export class ContainerExecutionError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/container-execution', message, options);
  }
}

/**
 * The Engine was killed while it started the container, and its containerd has the container's process
 * already: whether the work began cannot be told, and it cannot be started again.
 */
export class StartUnknownError extends DockerError {
  constructor(options: AppErrorOptions = {}) {
    super(
      'docker/start-unknown',
      'Docker on the node broke off while it started this container, and does not know what became of it.',
      options,
    );
  }
}

/** The program is not in the image. Means exit code 127, as in a shell. */
export class CommandNotFoundError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/command-not-found', message, { details: { exitCode: 127 }, ...options });
  }
}

/** The container's name belongs to something that is not this attempt. */
export class NameTakenError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/name-taken', message, { retry: 'after-user-action', ...options });
  }
}

export class ImageNotFoundError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/image-not-found', message, { retry: 'after-user-action', ...options });
  }
}

/** The registry wants a login, or does not let this one in. */
export class ImageDeniedError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/image-denied', message, { retry: 'after-user-action', ...options });
  }
}

/** The registry does not know this name with this password. */
export class RegistryDeniedError extends DockerError {
  constructor(registry: string, cause: unknown) {
    super(
      'registry/denied',
      `${registry} does not accept this name and password. Nothing was kept.`,
      { retry: 'after-user-action', cause, details: { registry } },
    );
  }
}

/** No registry answers there, as the node sees it. */
export class RegistryUnreachableError extends DockerError {
  constructor(registry: string, why: string, cause: unknown) {
    super(
      'registry/unreachable',
      `The node cannot ask ${registry}: ${why.slice(0, 300)}. Nothing was kept.`,
      { retry: 'later', cause, details: { registry } },
    );
  }
}

/** The registry could not be reached, or the transfer failed. */
export class ImagePullError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/image-pull', message, { retry: 'later', ...options });
  }
}

/** A Dockerfile did not come to its end. */
export class ImageBuildError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/image-build', message, { retry: 'after-user-action', ...options });
  }
}

/** The Engine did not take an image it was sent. */
export class ImageImportError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/image-import', message, { retry: 'later', ...options });
  }
}

/** GPUs, cores or memory could not be given to the container. */
export class ResourceAllocationError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/resource-allocation', message, { retry: 'after-user-action', ...options });
  }
}

export class DockerDiskFullError extends DockerError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('docker/disk-full', message, { retry: 'after-user-action', ...options });
  }
}

/** What was being done when the Engine complained, in the words of the sentence that follows. */
export type DockerAction =
  | { readonly kind: 'create' | 'start' | 'other'; readonly container: string }
  | {
      readonly kind: 'pull';
      readonly image: string;
      readonly registry: string;
      readonly isKnown: boolean;
    }
  | { readonly kind: 'ask' };

interface EngineComplaint {
  readonly status: number | null;
  readonly text: string;
}

/** Reads dockerode's error: an HTTP status with the Engine's own sentence, or a broken connection. */
export function readComplaint(error: unknown): EngineComplaint {
  if (!(error instanceof Error)) return { status: null, text: String(error) };
  const status =
    'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null;
  const json = 'json' in error ? error.json : undefined;
  const said =
    typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined;
  const text = typeof said === 'string' ? said : error.message;
  // Of a refused stream only dockerode's own sentence is left, with the Engine's in it.
  const plain = text.replace(/^\(HTTP code \d+\) .*? - /, '');
  return { status, text: plain.trim().slice(0, 600) };
}

/**
 * Turns what dockerode threw into one of the errors above. An AppError (a link that dropped, say)
 * and an abort pass through as they are.
 */
export function fromDocker(error: unknown, action: DockerAction): Error {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const { status, text } = readComplaint(error);
  if (status === null && action.kind !== 'pull') {
    return new DockerConnectionError(
      'The connection to the Docker Engine broke. It is taken up again by itself when the Engine answers.',
      { cause: error },
    );
  }
  if (/no space left on device|disk quota exceeded/i.test(text)) {
    return new DockerDiskFullError(
      "The disk that holds Docker's data is full. Free some space on the node, for instance with `docker system prune`.",
      { cause: error },
    );
  }
  return action.kind === 'pull'
    ? fromPull(error, text, action)
    : fromEngine(error, { status, text }, action);
}

function fromPull(
  error: unknown,
  text: string,
  { image, registry, isKnown }: Extract<DockerAction, { kind: 'pull' }>,
): DockerError {
  const options = { cause: error, details: { image } };
  // Docker Hub answers «denied» for what does not exist, too: the Engine's sentence names both.
  if (/denied|unauthorized|authentication required|no basic auth/i.test(text)) {
    return new ImageDeniedError(
      isKnown
        ? `${registry} does not give out ${image}: it does not exist there, or the account that is kept for ${registry} may not have it.`
        : `${registry} does not give out ${image}: it does not exist there, or a login is needed (kohakuriver registry login ${registry}).`,
      options,
    );
  }
  if (/not found|manifest unknown|name unknown|no matching manifest/i.test(text)) {
    return new ImageNotFoundError(
      `There is no image ${image}. Check its name and tag: ${text}`,
      options,
    );
  }
  if (/invalid reference|invalid tag|repository name must/i.test(text)) {
    return new ImageNotFoundError(`${image} is not an image reference: ${text}`, options);
  }
  return new ImagePullError(`The image ${image} could not be pulled: ${text}`, options);
}

function fromEngine(
  error: unknown,
  complaint: EngineComplaint,
  action: Exclude<DockerAction, { kind: 'pull' }>,
): DockerError {
  const { status, text } = complaint;
  const options = { cause: error };
  if (action.kind === 'ask') {
    return new DockerConnectionError(`The Docker Engine cannot answer: ${text}`, options);
  }
  if (/no such image/i.test(text)) {
    return new ImageNotFoundError(`The image is not on the node any more: ${text}`, options);
  }
  if (status === 404 && /no such container/i.test(text)) {
    return new ContainerNotFoundError(`There is no container ${action.container}.`, options);
  }
  if (action.kind === 'start' && /\btask \S+: already exists|\bid already in use/i.test(text)) {
    return new StartUnknownError(options);
  }
  const port = takenPort(text);
  if (port !== undefined) {
    return new ResourceAllocationError(
      `Port ${port} of the node is taken by something else. Publish another one, or free it.`,
      options,
    );
  }
  if (isAboutResources(text)) {
    return new ResourceAllocationError(
      `The node cannot give the container what it asked for: ${text}`,
      options,
    );
  }
  if (
    /executable file not found|no such file or directory": unknown|exec: ".*": stat /i.test(text)
  ) {
    return new CommandNotFoundError(
      `The command is not in the image (exit code 127): ${text}`,
      options,
    );
  }
  if (action.kind === 'create') {
    return new ContainerCreationError(`The container could not be created: ${text}`, options);
  }
  const what = action.kind === 'start' ? 'could not be started' : 'could not be changed';
  return new ContainerExecutionError(`The container ${what}: ${text}`, options);
}

function takenPort(text: string): string | undefined {
  return /:(\d{1,5})\b[^:]*(?:: bind)?: (?:port is already allocated|address already in use)/i.exec(
    text,
  )?.[1];
}

function isAboutResources(text: string): boolean {
  return /could not select device driver|nvidia-container|unknown device|error gathering device|range of CPUs|requested (CPUs|memory nodes)|minimum memory limit|no cuda-capable/i.test(
    text,
  );
}
