import type { Duplex } from 'node:stream';

/** Told of every byte that goes by. */
export interface SpliceCounts {
  up(bytes: number): void;
  down(bytes: number): void;
}

/**
 * Lets bytes go both ways between the near and the far end, each no faster than the other takes
 * them. One side may be done while the other still sends; a side that breaks off breaks the other
 * off. Resolves when both are closed.
 */
export function splice(near: Duplex, far: Duplex, counts: SpliceCounts): Promise<void> {
  near.on('data', (chunk: Buffer) => counts.up(chunk.length));
  far.on('data', (chunk: Buffer) => counts.down(chunk.length));
  near.pipe(far);
  far.pipe(near);
  return Promise.all([closed(near, far), closed(far, near)]).then(() => undefined);
}

function closed(one: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    one.on('error', () => other.destroy());
    one.once('close', () => {
      // What it sent to its end is still on its way out of the other; anything else is lost anyway.
      if (!one.readableEnded) other.destroy();
      else if (other.writableFinished) other.destroy();
      else other.once('finish', () => other.destroy());
      resolve();
    });
  });
}
