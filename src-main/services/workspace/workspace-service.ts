// A folder of some place that is worked in: texts saved, lines found, changes noticed.
import type { FileInfo, FileLocation } from '../../contract/files.ts';
import type {
  FindInput,
  FindNews,
  SaveAnswer,
  SaveFileInput,
  WatchInput,
  WatchNews,
} from '../../contract/workspace.ts';
import type { Timers } from '../../domain/clock.ts';
import { FileError } from '../../link/errors.ts';
import { absolute, infoOf } from '../files/file-service.ts';
import type { Places } from '../files/places.ts';
import { find } from './finding.ts';
import { save } from './saving.ts';
import { watch } from './watching.ts';

export interface WorkspaceParts {
  readonly places: Places;
  readonly timers: Timers;
  /** A name nothing else has. */
  readonly newName: () => string;
}

export class WorkspaceService {
  readonly #parts: WorkspaceParts;

  constructor(parts: WorkspaceParts) {
    this.#parts = parts;
  }

  async look(location: FileLocation): Promise<{ info: FileInfo; isWritable: boolean }> {
    const { files } = await this.#parts.places.open(location.place);
    const path = await absolute(files, location.path);
    const info = await infoOf(files, path);
    // A pipe would wait for its other end.
    if ((info.targetKind ?? info.kind) !== 'file') return { info, isWritable: false };
    try {
      await (await files.open(path, 'r+'))[Symbol.asyncDispose]();
      return { info, isWritable: true };
    } catch (error) {
      // Denied, a disk that is read only, a program that runs: the far side says, nothing was changed.
      if (error instanceof FileError) return { info, isWritable: false };
      throw error;
    }
  }

  /** @throws IncompleteUploadError, FileError */
  async save(input: SaveFileInput, bytes: AsyncIterable<Uint8Array>): Promise<SaveAnswer> {
    const { places, newName } = this.#parts;
    const { files } = await places.open(input.place);
    return save({ files, path: await absolute(files, input.path), newName }, input, bytes);
  }

  async *find(input: FindInput, signal: AbortSignal): AsyncGenerator<FindNews> {
    const root = await this.#parts.places.open(input.place);
    const path = await absolute(root.files, input.path);
    yield* find(root, { ...input, path }, signal);
  }

  async *watch(input: WatchInput, signal: AbortSignal): AsyncGenerator<WatchNews> {
    const { places, timers } = this.#parts;
    const root = await places.open(input.place);
    yield* watch({ root, timers }, input, signal);
  }
}
