import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { coreId, type CoreId, type Instant } from '../contract/ids.ts';
import type { Meta } from './meta.ts';
import { parseJson } from './json.ts';

/** What a core is known by, made once for a data directory. */
export interface CoreIdentity {
  /** Labels everything the core starts on a node. */
  readonly coreId: CoreId;
  /** The ten bits that keep snowflakes of different cores apart: 0…1023. */
  readonly instance: number;
}

const stored = z.strictObject({ coreId, instance: z.number().int().min(0).max(1023) });

/** Reads the identity, making it if this is the first start. Call inside of `store.write`. */
export function coreIdentity(meta: Meta, now: Instant): CoreIdentity {
  const text = meta.get('core');
  if (text !== undefined) return parseJson(stored, text, 'meta.core');
  const instance = randomInt(1024);
  // A snowflake like any other; its sequence is random, so that two cores made in the same
  // millisecond with the same instance still differ.
  const id = (BigInt(now) << 22n) | (BigInt(instance) << 12n) | BigInt(randomInt(4096));
  const made = { coreId: coreId.parse(id.toString()), instance };
  meta.set('core', JSON.stringify(made));
  return made;
}
