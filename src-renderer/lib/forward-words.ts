// How a forward looks, reads and is reached.
import CirclePause from '@lucide/svelte/icons/circle-pause';
import CircleX from '@lucide/svelte/icons/circle-x';
import Hourglass from '@lucide/svelte/icons/hourglass';
import Link2 from '@lucide/svelte/icons/link-2';
import type { ForwardView } from '../../src-main/contract/forwards.ts';
import type { TerminalTarget } from '../../src-main/contract/terminals.ts';
import type { Look } from './status.ts';
import { forwards as words } from './texts/forwards.ts';

export const forwardLooks = {
  open: { word: words.states.open, tone: 'running', icon: Link2 },
  waiting: { word: words.states.waiting, tone: 'lost', icon: Hourglass },
  paused: { word: words.states.paused, tone: 'paused', icon: CirclePause },
  failed: { word: words.states.failed, tone: 'failed', icon: CircleX },
} as const satisfies Record<ForwardView['state'], Look>;

/** Listening at every address is reached at this one. */
const everywhere = new Set(['0.0.0.0', '::']);

/** `127.0.0.1:8888`, where it listens (or leads to). */
export function hereText({ spec, localPort }: ForwardView): string {
  const host = everywhere.has(spec.bind) ? '*' : spec.bind;
  return `${host.includes(':') ? `[${host}]` : host}:${localPort ?? '?'}`;
}

/** What is at its other end; short where the page already says which place it is. */
export function thereText({ spec, place }: ForwardView, isShort: boolean): string {
  if (spec.kind === 'socks') return words.reads.socks(place);
  if ((spec.kind === 'tcp' || spec.kind === 'udp') && spec.host !== null) {
    return words.reads.via(spec.host, spec.port, place);
  }
  if (spec.kind === 'udp') {
    return isShort ? words.reads.udpShort(spec.port) : words.reads.udp(spec.port, place);
  }
  return isShort ? words.reads.tcpShort(spec.port) : words.reads.tcp(spec.port, place);
}

/** What programs are told: an address, or a proxy. Undefined for what is not reached here. */
export function addressOf({ spec, localPort }: ForwardView): string | undefined {
  if (spec.kind === 'reverse' || localPort === null) return undefined;
  const host = everywhere.has(spec.bind) ? '127.0.0.1' : spec.bind;
  const at = `${host.includes(':') ? `[${host}]` : host}:${localPort}`;
  return spec.kind === 'socks' ? `socks5h://${at}` : at;
}

/** The page it may serve. */
export function webAddress(view: ForwardView): string | undefined {
  if (view.spec.kind !== 'tcp' || view.state !== 'open') return undefined;
  const address = addressOf(view);
  return address === undefined ? undefined : `http://${address}/`;
}

/** Whether a forward belongs to a place, however it was named when it was made. */
export function isOf(view: ForwardView, place: ForwardPlace): boolean {
  const { target } = view.spec;
  if (target.kind !== place.kind) return false;
  const reference = target.kind === 'node' ? target.node : target.task;
  return reference === place.id || (place.name !== null && reference === place.name);
}

export interface ForwardPlace {
  readonly kind: 'node' | 'task';
  readonly id: string;
  readonly name: string | null;
}

export function targetOf({ kind, id }: ForwardPlace): TerminalTarget {
  return kind === 'node' ? { kind, node: id } : { kind, task: id };
}
