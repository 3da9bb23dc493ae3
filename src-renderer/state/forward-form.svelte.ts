// What the dialog that adds a forward holds, and what it makes of it.
import type { ForwardSpec } from '../../src-main/contract/forwards.ts';
import { targetOf, type ForwardPlace } from '../lib/forward-words.ts';

export type ForwardKind = ForwardSpec['kind'];

const leastPort = 1;
const mostPort = 65_535;

export class ForwardForm {
  kind = $state<ForwardKind>('tcp');
  port = $state('');
  localPort = $state('');
  host = $state('');
  isShared = $state(false);
  /** Key of the place, as `keyOf` makes it. */
  placeKey = $state('');

  readonly portNumber = $derived(readPort(this.port));
  readonly localNumber = $derived(readPort(this.localPort));

  /** What is wrong with what was typed so far; what is still empty is not wrong yet. */
  readonly hasPortProblem = $derived(this.port !== '' && this.portNumber === undefined);
  readonly hasLocalProblem = $derived(this.localPort !== '' && this.localNumber === undefined);

  readonly isReady = $derived(
    this.placeKey !== '' &&
      !this.hasLocalProblem &&
      (this.kind === 'socks' || this.portNumber !== undefined),
  );

  clear(place: ForwardPlace | undefined): void {
    this.kind = 'tcp';
    this.port = '';
    this.localPort = '';
    this.host = '';
    this.isShared = false;
    this.placeKey = place === undefined ? '' : keyOf(place);
  }

  /** The forward that is asked for; undefined while something is missing. */
  spec(place: ForwardPlace): ForwardSpec | undefined {
    if (!this.isReady) return undefined;
    const target = targetOf(place);
    const localPort = this.localNumber ?? null;
    const bind = this.isShared && this.kind !== 'reverse' ? '0.0.0.0' : '127.0.0.1';
    if (this.kind === 'socks') return { kind: 'socks', target, bind, localPort };
    const port = this.portNumber ?? leastPort;
    if (this.kind === 'reverse') {
      return { kind: 'reverse', target, port, host: null, bind, localPort };
    }
    const host = this.host.trim() === '' ? null : this.host.trim();
    return { kind: this.kind, target, port, host, bind, localPort };
  }
}

export function keyOf({ kind, id }: ForwardPlace): string {
  return `${kind} ${id}`;
}

function readPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= leastPort && port <= mostPort ? port : undefined;
}
