// What the services of environments are handed in.
import type { NodeId } from '../../contract/ids.ts';
import type { Readable } from 'node:stream';
import type { DeliveryId } from '../../contract/environments.ts';
import type { DeliveryRecord, EnvironmentRecord } from '../../domain/environments/environment.ts';
import type { LayerFiles } from '../../store/layer-files.ts';
import type { Clock, Timers } from '../../domain/clock.ts';
import type { ImageEngine } from '../../runtimes/image-engine.ts';
import type { Fleet, FleetNode } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import { nodeNotThere } from './errors.ts';

/** The store's EnvironmentRepository. Writes are durable when `flushed` resolves. */
export interface EnvironmentRecords {
  all(): EnvironmentRecord[];
  save(record: EnvironmentRecord): void;
  remove(name: string): void;
  deliveries(): DeliveryRecord[];
  saveDelivery(record: DeliveryRecord): void;
  removeDelivery(id: DeliveryId): void;
}

export interface EnvironmentParts {
  readonly records: EnvironmentRecords;
  readonly layers: Pick<LayerFiles, 'sizeOf' | 'take' | 'stream' | 'clear'>;
  readonly flushed: () => Promise<void>;
  readonly fleet: Pick<Fleet, 'plannerNodes' | 'node' | 'find' | 'runtime' | 'onDidComeOnline'>;
  /** Whether a node is this computer. */
  readonly isLocal: (node: NodeId) => boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly newId: () => string;
  /** A tar with one Dockerfile in it. */
  readonly dockerfile: (text: string) => Readable;
  /** Tasks that name an image and have not begun: it is kept for them. By their names. */
  readonly waitingFor: (image: string) => readonly string[];
}

export type EnvironmentFleet = EnvironmentParts['fleet'];

/** Undefined while the node is out of reach or has no Docker. */
export function imagesOf(fleet: EnvironmentFleet, node: NodeId): ImageEngine | undefined {
  return fleet.runtime(node, 'docker')?.imageEngine;
}

/** Throws `link/unreachable` with the reason. */
export function needImages(fleet: EnvironmentFleet, node: NodeId): ImageEngine {
  const engine = imagesOf(fleet, node);
  if (engine !== undefined) return engine;
  throw nodeNotThere(nameOf(fleet, node), whyNot(fleet.node(node)));
}

export function nameOf(fleet: EnvironmentFleet, node: NodeId): string {
  return fleet.node(node)?.name ?? 'a node that was removed';
}

export function whyNot(node: FleetNode | undefined): string {
  if (node === undefined) return 'it was removed.';
  if (node.state === 'online') return 'its Docker does not answer.';
  return node.reason ?? `it is ${node.state}.`;
}
