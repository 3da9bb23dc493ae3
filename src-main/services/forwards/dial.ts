// Connections to ports of places: over the link of the node, to the node itself or to the address
// a container has on it. No port is published for it.
import type { Duplex } from 'node:stream';
import type { NodeId } from '../../contract/ids.ts';
import type { TerminalTarget } from '../../contract/terminals.ts';
import { isAppError } from '../../contract/errors.ts';
import type { NodeLink } from '../../link/node-link.ts';
import { findPlace, type Place } from '../terminals/places.ts';
import type { TerminalParts } from '../terminals/ports.ts';
import { cannotForward, forwardingForbidden } from './errors.ts';
import { notNow } from '../terminals/errors.ts';

export interface Destination {
  readonly nodeId: NodeId;
  readonly text: string;
  readonly isContainer: boolean;
  /** What the node calls `host`; null for the place itself. Throws ForwardError, DockerError. */
  address(host: string | null): Promise<string>;
  /** Connects to a port; `host` as the node sees it, null for the place itself. Throws LinkError, ForwardError. */
  dial(host: string | null, port: number): Promise<Duplex>;
  link(): NodeLink;
}

const ownNames = new Set(['localhost', '127.0.0.1', '::1']);

/** Throws what finding the place throws. */
export async function findDestination(
  parts: TerminalParts,
  target: TerminalTarget,
): Promise<Destination> {
  const place = await findPlace(parts, target);
  const name = () => parts.nodes.node(place.nodeId)?.name ?? place.text;
  const link = (): NodeLink => {
    const found = parts.nodes.link(place.nodeId);
    if (found?.isOpen === true) return found;
    throw notNow(`${name()} is out of reach at the moment.`, name());
  };
  const address = async (host: string | null): Promise<string> =>
    host === null || ownNames.has(host) ? ownAddress(parts, place) : host;
  return {
    nodeId: place.nodeId,
    text: place.text,
    isContainer: place.container !== null,
    link,
    address,
    dial: async (host, port) => {
      const found = await address(host);
      try {
        return await link().dialTcp(found, port);
      } catch (error) {
        if (isForbidden(error)) throw forwardingForbidden(name(), error);
        throw error;
      }
    },
  };
}

/** Asked each time: a container has another address after it was started again. */
async function ownAddress(parts: TerminalParts, { nodeId, container, text }: Place) {
  if (container === null) return '127.0.0.1';
  const look = await parts.nodes.containers(nodeId)?.look(container);
  if (look?.address != null) return look.address;
  throw cannotForward(
    `${text} has no network address on its node: its container has no network, or does not run.`,
    text,
  );
}

function isForbidden(error: unknown): boolean {
  return (
    isAppError(error) &&
    error.code === 'link/channel-refused' &&
    error.details['reason'] === 'administratively prohibited'
  );
}
