// How a VPS is reached: for terminals, SSH and forwards, which dial it through its node's link.
import { RequestError } from '../../contract/errors.ts';
import type { NodeId, TaskId } from '../../contract/ids.ts';
import type { SshStatus } from '../../contract/vps.ts';
import type { Task } from '../../domain/task.ts';
import type { Fleet } from '../fleet.ts';
import type { Vps, VpsBook } from './vps-book.ts';
import type { VpsViews } from './vps-views.ts';

/** A VPS that runs, and the way to it. Addresses change at each start: ask anew for each connection. */
export interface VpsRoute {
  readonly id: TaskId;
  /** Also the name of its host for OpenSSH, after `kr-`. */
  readonly name: string;
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly containerId: string;
  readonly containerName: string;
  /** On the node's own network: reached with the `dialTcp` of its link. Null where it has none. */
  readonly ip: string | null;
  readonly ssh: SshStatus;
}

/** What is known of a VPS whether it runs or not. */
export interface VpsCard {
  readonly id: TaskId;
  readonly name: string;
  readonly nodeName: string | null;
  readonly status: Task['state']['status'];
  readonly ssh: SshStatus;
}

export interface VpsAccess {
  /** By name, ID or ending of an ID. Throws `not-found/vps`, `ambiguous/id`, `vps/not-running`, `link/…`. */
  route(reference: string): Promise<VpsRoute>;
  /** As `route`, and SSH inside answers. Throws `vps/no-ssh` with what is in the way. */
  sshRoute(reference: string): Promise<VpsRoute & { readonly ip: string }>;
  /** Every VPS that was not removed, for a list of hosts. */
  cards(): readonly VpsCard[];
}

export interface VpsAccessParts {
  readonly vpses: VpsBook;
  readonly views: VpsViews;
  readonly fleet: Fleet;
}

export class VpsRoutes implements VpsAccess {
  readonly #parts: VpsAccessParts;

  constructor(parts: VpsAccessParts) {
    this.#parts = parts;
  }

  async route(reference: string): Promise<VpsRoute> {
    const { vpses, fleet } = this.#parts;
    const vps = vpses.find(reference);
    const { task } = vps;
    const { state } = task;
    if (state.status !== 'RUNNING') throw notRunning(vps);
    const { nodeId } = state.place;
    const look = await fleet.runtime(nodeId, 'docker')?.vps?.look(task.id);
    if (look === undefined || look.isRestarting) throw notRunning(vps);
    return {
      id: task.id,
      name: nameOf(task),
      nodeId,
      nodeName: fleet.node(nodeId)?.name ?? '',
      containerId: look.containerId,
      containerName: look.containerName,
      ip: look.ip,
      ssh: this.#parts.views.ssh(vps),
    };
  }

  async sshRoute(reference: string): Promise<VpsRoute & { readonly ip: string }> {
    const route = await this.route(reference);
    const { ssh, ip, name } = route;
    if (ssh.state === 'ready' && ip !== null) return { ...route, ip };
    throw new RequestError('vps/no-ssh', `${name} cannot be reached with SSH: ${whyNoSsh(ssh)}`, {
      retry: ssh.state === 'setting-up' ? 'later' : 'after-user-action',
      details: { vps: name, state: ssh.state },
    });
  }

  cards(): readonly VpsCard[] {
    const { vpses, views } = this.#parts;
    return vpses.all().map((vps) => {
      const { id, name, node, status, ssh } = views.view(vps);
      return { id, name, nodeName: node, status, ssh };
    });
  }
}

/** Every VPS has a name. */
export function nameOf(task: Task): string {
  return task.spec.name ?? `vps-${task.id.slice(-6)}`;
}

function whyNoSsh({ state, problem }: SshStatus): string {
  if (state === 'off') return 'it was created without SSH. Use a terminal of the app.';
  if (state === 'failed') return problem ?? 'it could not be set up.';
  if (state === 'ready') return 'it has no address of its own.';
  return 'it is still being set up.';
}

export function notRunning({ task }: Vps): RequestError {
  const { status } = task.state;
  const todo = status === 'STOPPED' || status === 'FAILED' ? ' Start it first.' : '';
  const words = status === 'RUNNING' ? 'starting over and over' : status;
  return new RequestError(
    'vps/not-running',
    `${nameOf(task)} does not run: it is ${words}.${todo}`,
    {
      retry: 'after-user-action',
      details: { vps: nameOf(task), status },
    },
  );
}
