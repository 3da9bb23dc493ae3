// What terminals are handed in. NodesService and TaskService satisfy these as they are.
import type { NodeId } from '../../contract/ids.ts';
import type { TaskView } from '../../contract/task.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Event } from '../../domain/emitter.ts';
import type { KeeperChoice } from '../../domain/terminals/keeper.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import type { ContainerAccess } from '../../runtimes/docker/access.ts';
import type { FleetNode } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import type { ScreenHandle, ScreenListener } from './screens.ts';

export interface TerminalNodes {
  node(id: NodeId): FleetNode | undefined;
  find(reference: string): FleetNode | undefined;
  /** Of an online node. */
  link(id: NodeId): NodeLink | undefined;
  /** Of an online node whose Docker answers. */
  containers(id: NodeId): ContainerAccess | undefined;
  readonly onDidComeOnline: Event<NodeId>;
}

export interface TerminalTasks {
  /** Throws `not-found/task`. */
  get(reference: string): TaskView;
}

export interface TerminalSettings {
  readonly keeper: KeeperChoice;
  readonly scrollbackLines: number;
}

export interface TerminalScreens {
  open(
    size: { columns: number; rows: number; scrollbackLines: number },
    listener: ScreenListener,
  ): ScreenHandle;
}

export interface TerminalParts {
  readonly nodes: TerminalNodes;
  readonly tasks: TerminalTasks;
  readonly screens: TerminalScreens;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: () => TerminalSettings;
  /** A word that no other terminal of any core has: 16 hexadecimal digits. */
  readonly newMark: () => string;
}

/** A running program with what it takes to go back to it or to clean up after it. */
export interface Launched {
  readonly process: RemoteProcess;
}
