// What a VPS has beside its task: it changes while the VPS lives, and no state of the task depends on it.
import type { TaskId } from '../../contract/ids.ts';
import type { SnapshotPolicy, SshMode, VpsPort } from '../../contract/vps.ts';

export interface VpsRecord {
  readonly id: TaskId;
  readonly ssh: VpsSsh;
  readonly ports: readonly VpsPort[];
  readonly snapshots: SnapshotPolicy;
  /** A snapshot that is to be taken once it rests: its note. Null when none is due. */
  readonly dueSnapshot: string | null;
  /** Why the last snapshot that was due could not be taken. */
  readonly snapshotProblem: string | null;
}

export interface VpsSsh {
  readonly mode: SshMode;
  /** The key that is let in, as a line of authorized_keys; null for the modes without one. */
  readonly publicKey: string | null;
  /** Where the private key of one made here was written, on the core's computer. */
  readonly identityFile: string | null;
  /** `ssh-ed25519 AAAA…` of the server inside; null until it was set up. */
  readonly hostKey: string | null;
  readonly isReady: boolean;
  /** Why it could not be set up. */
  readonly problem: string | null;
}
