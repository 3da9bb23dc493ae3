// Running attempts on one node, through what a link gives. docker/ and process/ implement it (qemu/ will).
// A runtime keeps no state that matters: the node's containers and processes are the truth.
import type { CoreId, Instant, TaskId } from '../contract/ids.ts';
import type { HeldGpu, Mount, RuntimeKind, Vessel, Work } from '../contract/task.ts';
import type { VpsPort } from '../contract/vps.ts';
import type { AttemptEnd } from '../domain/task.ts';
import type { ImageEngine } from './image-engine.ts';
import type { VpsEngine } from './vps-engine.ts';
import type { RemoteFiles, RemoteProcess, SpawnOptions } from '../link/node-link.ts';

/** One attempt of one task of one core: everything on a node is found by this. */
export interface AttemptRef {
  readonly taskId: TaskId;
  readonly attempt: number;
  /** Of a VPS: its container lives through its attempts, so it is found by the task alone. */
  readonly vps?: VpsRun;
}

/** Which run of the container of a VPS the attempt is. */
export interface VpsRun {
  /** When the newest run of earlier attempts had started, by the node's clock: a run that started then is not this attempt's. */
  readonly lastRun: Instant | null;
}

/** What only a VPS is created with. */
export interface VpsSpec extends VpsRun {
  readonly ports: readonly VpsPort[];
  /** It has a disk: where the container is gone, that is an error and not a reason to make a new one. */
  readonly hasDisk: boolean;
}

/** All that is needed to create an attempt. Secret values are in `env` here and nowhere else. */
export interface AttemptSpec extends AttemptRef {
  readonly vps?: VpsSpec;
  readonly batchId: string;
  readonly taskType: 'command' | 'vps';
  readonly nodeName: string;
  readonly owner: string;
  readonly name: string | null;
  readonly work: Work;
  readonly vessel: Vessel;
  /** The user's variables and ours (`KOHAKURIVER_*`). */
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly workdir: string | null;
  readonly user: string | null;
  readonly privileged: boolean;
  /** 0: no limit. */
  readonly cores: number;
  readonly memoryBytes: number | null;
  /** Pin to these CPUs and this memory node. */
  readonly numa: { readonly id: number; readonly cpus: readonly number[] } | null;
  readonly gpus: readonly (HeldGpu & {
    readonly vendor: 'nvidia' | 'amd';
    readonly pciBusId: string;
  })[];
  readonly labels: Readonly<Record<string, string>>;
  /** How much output the node keeps until it is collected. */
  readonly logBufferBytes: number;
}

/** What is found on a node. Entries of other cores are listed too: they are foreign use, never touched. */
export interface ObservedAttempt {
  readonly core: CoreId | null;
  readonly taskId: TaskId | null;
  readonly attempt: number;
  readonly runtime: RuntimeKind;
  /** Container name, or directory. For people. */
  readonly name: string;
  readonly condition:
    | { readonly kind: 'created' }
    | { readonly kind: 'running'; readonly startedAt: Instant }
    | { readonly kind: 'paused'; readonly startedAt: Instant }
    | {
        readonly kind: 'ended';
        readonly end: AttemptEnd;
        readonly startedAt: Instant | null;
        readonly finishedAt: Instant;
        readonly problem: string | null;
      };
  /** What it holds on the node as far as its labels and limits tell. */
  readonly uses: {
    readonly cores: number;
    readonly memoryBytes: number;
    readonly gpuUuids: readonly string[];
  };
  readonly owner: string | null;
  readonly imageDigest: string | null;
}

/** Bytes of a log with what is needed to go on after them. */
export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
  /** Nanoseconds since the epoch: the Engine's time, or the arrival for processes. */
  readonly timeNs: bigint;
  /** Opaque; given back to `logs` to continue right after this chunk. Small text. */
  readonly cursor: string;
  /** The node lost some of this stream right before these bytes (its own rotation). */
  readonly isAfterGap?: true;
}

/** After so many bytes of a log, the node is told that it may let go of them: each time costs a program there. */
export const letGoBytes = 64 * 1024 * 1024;

export interface Prepared {
  /** `sha256:…` of the image that will be used; null for processes. */
  readonly imageDigest: string | null;
  /** What the image is pinned to for `create`. */
  readonly imageId: string | null;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** A sentence about the phase, e.g. `pulling river/busybox:1, 40 %`. Called often; latest wins. */
  readonly onProgress: (phase: string) => void;
}

/** The inside of an attempt that has files and programs of its own. */
export interface Inside {
  readonly files: RemoteFiles;
  /** Runs as the container's user, without a terminal. */
  spawn(command: readonly string[], options?: SpawnOptions): Promise<RemoteProcess>;
}

export interface Runtime {
  readonly kind: RuntimeKind;
  /** Everything managed on the node, of every core. */
  list(): Promise<readonly ObservedAttempt[]>;
  /** This core's attempt, or undefined when there is none (yet, or any more). */
  inspect(ref: AttemptRef): Promise<ObservedAttempt | undefined>;
  /** Makes sure that what it runs in is there (image pull). Cancellable; safe to repeat. */
  prepare(spec: AttemptSpec, options: PrepareOptions): Promise<Prepared>;
  /** Creates it without starting it. If it exists already for this attempt, that is success. */
  create(spec: AttemptSpec, prepared: Prepared): Promise<void>;
  /** Starts what was created. Starting what runs or has ended is success and changes nothing. */
  start(ref: AttemptRef): Promise<void>;
  /**
   * `create` and `start` in one go, where that is cheaper than one after the other. Broken off at any
   * point, the attempt is found as one of the two would have left it.
   */
  launch?(spec: AttemptSpec, prepared: Prepared): Promise<void>;
  /** Sends the signal and, after the grace, SIGKILL. `delivered` is false when nothing ran any more. Does not wait longer than the grace and a little. */
  stop(
    ref: AttemptRef,
    options: { signal: string; graceMs: number },
  ): Promise<{ delivered: boolean }>;
  pause(ref: AttemptRef): Promise<void>;
  resume(ref: AttemptRef): Promise<void>;
  /** Resolves when the attempt has ended (at once if it has). Undefined: it is not there any more. Rejects when the link drops or the signal aborts. */
  waitForEnd(ref: AttemptRef, signal: AbortSignal): Promise<ObservedAttempt | undefined>;
  /** The log from right after `cursor` (null: from the start), in order, every byte once. Follows until the attempt has ended and all was read. Pulled: reading slowly slows the source. */
  logs(ref: AttemptRef, cursor: string | null, signal: AbortSignal): AsyncIterable<LogChunk>;
  /**
   * The log up to this cursor, of one of its chunks, is not asked for again: the node may let go of it.
   * To be called after every `letGoBytes`. Absent where the node bounds its logs by itself.
   */
  letGoOfLog?(ref: AttemptRef, cursor: string): Promise<void>;
  /** Removes an ended or never started attempt. `keep`: leaves it, renamed out of the way. What is gone already is success. Refuses what is not this core's. */
  remove(ref: AttemptRef, options: { keep: boolean }): Promise<void>;
  /** Fires when something of ours may have changed outside of what we ordered (Engine events, exits). */
  onDidChange(listener: () => void): Disposable;
  /** What only VPSes need. Undefined where there can be none. */
  readonly vps?: VpsEngine;
  /** Images, and what environments are made in. Undefined where there are none. */
  readonly imageEngine?: ImageEngine;
  /**
   * The files and programs inside of a running attempt; absent where attempts have nothing but the
   * node's own. Throws the runtime's error when it is not there or does not run.
   */
  inside?(ref: AttemptRef): Promise<Inside>;
  close(): Promise<void>;
}
