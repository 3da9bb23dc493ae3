// What can be done with the VPSes of one node beyond running attempts: looking closely, and working
// inside of them. docker/vps/ implements it.
import type { Readable } from 'node:stream';
import type { Instant, TaskId } from '../contract/ids.ts';

/** The container of a VPS as it is now. Everything here came from the node. */
export interface VpsLook {
  readonly containerId: string;
  readonly containerName: string;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** Waits to be started again by the Engine, because what runs in it ended. */
  readonly isRestarting: boolean;
  /** How often the Engine started it again since somebody did. */
  readonly restarts: number;
  /** Of its newest end; null while it never ended. */
  readonly lastExitCode: number | null;
  readonly startedAt: Instant | null;
  /** Its address on the node's own network; null unless it runs. */
  readonly ip: string | null;
  readonly ports: readonly {
    readonly container: number;
    readonly protocol: string;
    readonly address: string;
    readonly host: number;
  }[];
}

export interface InsideResult {
  /** 126 and 127 as in a shell, also where the program is not in the image. */
  readonly exitCode: number;
  /** Both streams as they came, cut at 256 KiB. */
  readonly output: string;
}

export interface VpsLimits {
  /** 0: no limit. */
  readonly cores: number;
  readonly memoryBytes: number | null;
}

/** A snapshot as its node has it. */
export interface SnapshotInfo {
  /** Unix seconds. */
  readonly tag: string;
  readonly takenAt: Instant;
  readonly note: string;
  readonly addedBytes: number;
  readonly totalBytes: number;
}

/** What a container has used so far, and uses now. Everything here came from the node. */
export interface VpsUseSample {
  /** Processor time since it was started. */
  readonly cpuNs: number;
  /** When, by the node's clock. */
  readonly readAtNs: number;
  readonly memoryBytes: number;
  readonly processes: number | null;
}

export interface VpsEngine {
  /** Undefined when it has no container there. */
  look(id: TaskId): Promise<VpsLook | undefined>;
  /** Runs a short program inside as root. Its input is closed after `stdin`. Throws when it does not run. */
  runInside(
    id: TaskId,
    argv: readonly string[],
    options: { readonly stdin?: string; readonly signal: AbortSignal },
  ): Promise<InsideResult>;
  /** Undefined when it does not run. */
  use(id: TaskId): Promise<VpsUseSample | undefined>;
  /** Changes limits of a container, running or not. */
  setLimits(id: TaskId, limits: VpsLimits): Promise<void>;
  /** The newest lines its main program printed. */
  output(id: TaskId, lines: number): Promise<string>;
  /** The newest first. */
  snapshots(id: TaskId): Promise<readonly SnapshotInfo[]>;
  /** Nothing is changed when it throws. */
  takeSnapshot(
    id: TaskId,
    options: {
      readonly tag: string;
      readonly note: string;
      /** Variables whose values must not get into it. */
      readonly secretNames: readonly string[];
    },
  ): Promise<void>;
  /** `in-use`: the node keeps it, since a container was made from it. */
  removeSnapshot(id: TaskId, tag: string): Promise<'removed' | 'in-use'>;
  /** Gives one that does not run the disk of a snapshot. When it throws, it has the disk it had. */
  restore(id: TaskId, tag: string): Promise<void>;
  /** The image as one stream, for `loadSnapshot` of another node. */
  saveSnapshot(id: TaskId, tag: string): Promise<Readable>;
  loadSnapshot(from: Readable): Promise<void>;
}
