// Places where files are, found by what people call them: this computer, a node, a container.
import type { FilePlace } from '../../contract/files.ts';
import type { NodeId, TaskId } from '../../contract/ids.ts';
import type { Task } from '../../domain/task.ts';
import type { RemoteFiles, RemoteProcess, SpawnOptions } from '../../link/node-link.ts';
import type { AttemptRef, Inside } from '../../runtimes/runtime.ts';
import { attemptRef } from '../attempts/attempt-ref.ts';
import type { FleetNode } from '../fleet.ts';
import { UnknownNodeError } from '../nodes/errors.ts';
import { PlaceUnavailableError } from './errors.ts';

/** Files, and programs beside them. */
export interface Root {
  /** With IDs in the place of names, so that it stays the same when a node is renamed. */
  readonly place: FilePlace;
  /** For people: `this computer`, a node's name, a task's name. */
  readonly label: string;
  /** The node it depends on; undefined for this computer. */
  readonly nodeId: NodeId | undefined;
  readonly files: RemoteFiles;
  /** Not known to have any program: what is missing ends with exit code 127. */
  spawn(command: readonly string[], options?: SpawnOptions): Promise<RemoteProcess>;
}

/** A link, as far as files need it. */
export interface FileLink {
  files(): Promise<RemoteFiles>;
  spawn(command: readonly string[], options?: SpawnOptions): Promise<RemoteProcess>;
}

export interface PlacesParts {
  /** This computer. */
  readonly here: FileLink;
  readonly find: (node: string) => FleetNode | undefined;
  /** Undefined unless the node is online. */
  readonly link: (node: NodeId) => FileLink | undefined;
  /** @throws `not-found/task`, `ambiguous/id` */
  readonly resolveTask: (reference: string) => TaskId;
  readonly task: (id: TaskId) => Task | undefined;
  /** The inside of the container of an attempt; undefined unless its node is online and has containers. */
  readonly inside: (node: NodeId, attempt: AttemptRef) => Promise<Inside> | undefined;
}

export class Places {
  readonly #parts: PlacesParts;

  constructor(parts: PlacesParts) {
    this.#parts = parts;
  }

  /**
   * Opens a place. @throws UnknownNodeError, `not-found/task`; PlaceUnavailableError when the node is
   * not online or the container does not run.
   */
  async open(place: FilePlace): Promise<Root> {
    switch (place.kind) {
      case 'here':
        return this.#here();
      case 'node':
        return this.#node(place.node);
      case 'task':
        return this.#container(place.task);
    }
  }

  async #here(): Promise<Root> {
    const { here } = this.#parts;
    return {
      place: { kind: 'here' },
      label: 'this computer',
      nodeId: undefined,
      files: await here.files(),
      spawn: (command, options) => here.spawn(command, options),
    };
  }

  async #node(reference: string): Promise<Root> {
    const node = this.#parts.find(reference);
    if (node === undefined) throw new UnknownNodeError(reference);
    const link = this.#parts.link(node.id);
    if (link === undefined) throw offline(node);
    return {
      place: { kind: 'node', node: node.id },
      label: node.name,
      nodeId: node.id,
      files: await link.files(),
      spawn: (command, options) => link.spawn(command, options),
    };
  }

  async #container(reference: string): Promise<Root> {
    const id = this.#parts.resolveTask(reference);
    const task = this.#parts.task(id);
    const label = task?.spec.name ?? id;
    if (task === undefined || !('place' in task.state) || task.state.place === null) {
      throw new PlaceUnavailableError(
        `${label} has no container at the moment: it has to run for its files to be seen.`,
        label,
      );
    }
    const { nodeId, runtime } = task.state.place;
    const node = this.#parts.find(nodeId);
    if (runtime !== 'docker') {
      throw new PlaceUnavailableError(
        `${label} runs without a container: its files are those of ${node?.name ?? 'its node'}.`,
        label,
      );
    }
    const inside = await this.#parts.inside(nodeId, attemptRef(task));
    if (inside === undefined) {
      if (node !== undefined) throw offline(node);
      throw new PlaceUnavailableError(`The node of ${label} was removed.`, label);
    }
    return { place: { kind: 'task', task: id }, label, nodeId, ...inside };
  }
}

function offline({ name, state, reason }: FleetNode): PlaceUnavailableError {
  const why = state === 'online' ? 'has no Docker at the moment' : `is ${state}`;
  return new PlaceUnavailableError(
    `${name} ${why}${reason === null ? '' : `: ${reason}`}. Its files can be reached when it is back.`,
    name,
  );
}
