// What forwards are handed in.
import type { ForwardId, ForwardSpec } from '../../contract/forwards.ts';
import type { Instant } from '../../contract/ids.ts';

/** A forward as it is kept. */
export interface ForwardRecord {
  readonly id: ForwardId;
  readonly spec: ForwardSpec;
  readonly localPort: number | null;
  readonly isPaused: boolean;
  readonly createdAt: Instant;
}

/** The store's ForwardRepository. Writes are durable when `flushed` resolves. */
export interface ForwardRecords {
  all(): ForwardRecord[];
  save(record: ForwardRecord): void;
  remove(id: ForwardId): void;
}
