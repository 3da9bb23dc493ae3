// An environment as it is kept, and what may be done with it.
import type {
  DeliveryId,
  EnvironmentOrigin,
  EnvironmentVersion,
  VersionId,
} from '../../contract/environments.ts';
import type { Instant, NodeId } from '../../contract/ids.ts';

export interface BuildRecord {
  readonly nodeId: NodeId;
  readonly origin: EnvironmentOrigin;
  /** `wanted`: to be made, also after a restart of the core. `made`: it is on its node. */
  readonly state: 'wanted' | 'made' | 'failed';
  readonly problem: string | null;
  /** What its container is made from by now: what was saved of it last. Null: its origin. */
  readonly base: string | null;
  /** What its Dockerfile made. */
  readonly imageId: string | null;
}

export type VersionRecord = Omit<EnvironmentVersion, 'isCurrent' | 'madeOn'> & {
  readonly madeOnId: NodeId;
};

export interface EnvironmentRecord {
  readonly name: string;
  readonly note: string;
  readonly createdAt: Instant;
  readonly build: BuildRecord | null;
  /** The oldest first. */
  readonly versions: readonly VersionRecord[];
}

export type DeliveryState = 'waiting' | 'moving' | 'done' | 'failed' | 'cancelled';

export interface DeliveryRecord {
  readonly id: DeliveryId;
  readonly environment: string;
  readonly versionId: VersionId;
  readonly nodeId: NodeId;
  readonly state: DeliveryState;
  readonly words: string;
  readonly movedBytes: number;
  readonly totalBytes: number | null;
  readonly layersMoved: number;
  readonly layersThere: number;
  readonly createdAt: Instant;
}

/** What a tag means: the newest version that has it. */
export function currentVersion(
  { versions }: EnvironmentRecord,
  tag: string,
): VersionRecord | undefined {
  return versions.findLast((version) => version.tag === tag);
}

export function isCurrent(environment: EnvironmentRecord, { id, tag }: VersionRecord): boolean {
  return currentVersion(environment, tag)?.id === id;
}

/** Under way, or to be taken up again. */
export function isOpen({ state }: Pick<DeliveryRecord, 'state'>): boolean {
  return state === 'waiting' || state === 'moving';
}

/** The versions that are older than the newest so many of their tag; the oldest first. */
export function oldVersions({ versions }: EnvironmentRecord, keep: number): VersionRecord[] {
  return versions.filter((version) => {
    const newer = versions.filter(
      ({ tag, madeAt }) => tag === version.tag && madeAt > version.madeAt,
    );
    return newer.length >= keep;
  });
}
