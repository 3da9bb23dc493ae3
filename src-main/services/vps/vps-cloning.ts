// A new VPS from another one: from a snapshot of it, on its node or on another.
import { RequestError } from '../../contract/errors.ts';
import type { VpsView } from '../../contract/vps.ts';
import type { Fleet } from '../fleet.ts';
import type { VpsCreation } from './vps-creation.ts';
import type { VpsService } from './vps-service.ts';
import type { VpsSnapshots } from './vps-snapshots.ts';

export interface VpsCloningParts {
  readonly creation: VpsCreation;
  readonly snapshots: VpsSnapshots;
  readonly service: VpsService;
  readonly fleet: Fleet;
}

export class VpsCloning {
  readonly #parts: VpsCloningParts;

  constructor(parts: VpsCloningParts) {
    this.#parts = parts;
  }

  /** The name is checked before anything is taken or copied. Throws what stood in the way. */
  async clone(order: {
    vps: string;
    name: string;
    tag?: string | undefined;
    node?: string | undefined;
    who: string;
  }): Promise<VpsView> {
    const { creation, snapshots, service, fleet } = this.#parts;
    creation.checkName(order.name);
    const source = await snapshots.source(order.vps, order.tag);
    const target = fleet.find(order.node ?? source.nodeId);
    if (target === undefined) {
      throw new RequestError('not-found/node', `There is no node ${order.node ?? source.nodeId}.`);
    }
    await snapshots.copy(order.vps, source.tag, target.id);
    const { id } = await creation.clone(source.vps, {
      name: order.name,
      image: source.image,
      node: target.name,
      who: order.who,
    });
    return service.get(id);
  }
}
