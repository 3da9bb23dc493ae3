// One connection to a port of a place, carried by a byte stream of the contract.
import type { z } from 'zod';
import type { dialInput } from '../../contract/forwards.ts';
import type { TerminalParts } from '../terminals/ports.ts';
import { findDestination } from './dial.ts';

/** Bytes as they are, both ways, each no faster than it is taken. Throws what dialling throws. */
export async function* dialStream(
  parts: TerminalParts,
  { target, port }: z.output<typeof dialInput>,
  { incoming, signal }: { incoming: AsyncIterable<Uint8Array>; signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const destination = await findDestination(parts, target);
  const far = await destination.dial(null, port);
  const abandon = () => far.destroy();
  signal.addEventListener('abort', abandon, { once: true });
  if (signal.aborted) abandon();
  const sending = send(incoming, far);
  try {
    for await (const chunk of far) yield chunk as Buffer;
  } catch (error) {
    // One who has left needs no reason.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
    far.destroy();
    await sending;
  }
}

async function send(
  incoming: AsyncIterable<Uint8Array>,
  far: NodeJS.WritableStream & { destroyed?: boolean },
): Promise<void> {
  try {
    for await (const bytes of incoming) {
      if (far.destroyed === true) return;
      if (!far.write(bytes)) await drained(far);
    }
    far.end();
  } catch {
    // The client broke off: the stream's signal says so to whoever reads.
    return;
  }
}

function drained(far: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['drain', 'close', 'error']) far.once(event, () => resolve());
  });
}
