// The ciphers of ssh2's compiled part are never given to the collector. In Node 24, one that it takes while
// no context is entered ends the whole process: ObjectWrap then removes a hook of an environment that is not
// found (SIGABRT, «Assertion failed: (env) != nullptr», seen once; DataDog/pprof-nodejs#385 tells how).
import type { EventEmitter } from 'node:events';

/** What ssh2 reads and writes with; others after every key exchange. No part of what it promises. */
interface Protocol {
  readonly _cipher?: { readonly _instance?: unknown };
  readonly _decipher?: { readonly _instance?: unknown };
}

/**
 * ssh2 frees what they hold when a connection ends or has other keys; what stays of each is some hundred
 * bytes.
 */
const kept = new Set<unknown>();

/** Keeps those that a connection of ssh2 will have, which has not begun yet. */
export function keepCiphers(connection: EventEmitter): void {
  const keep = () => {
    const { _protocol: protocol } = connection as { readonly _protocol?: Protocol };
    for (const cipher of [protocol?._cipher, protocol?._decipher])
      if (cipher?._instance !== undefined) kept.add(cipher._instance);
  };
  connection.on('handshake', keep).once('ready', keep);
}
