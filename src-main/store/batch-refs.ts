import { z } from 'zod';
import { RequestError } from '../contract/errors.ts';
import { batchId, type BatchId } from '../contract/ids.ts';
import type { Connection, Statement } from './connection.ts';

const idRow = z.object({ id: batchId });
const largestId = 2n ** 63n - 1n;
/** How many candidates an error names. */
const namedCandidates = 5;

/** Finds the batch people mean. */
export class BatchRefs {
  readonly #byId: Statement;
  readonly #byEnding: Statement;

  constructor(connection: Connection) {
    const select = 'SELECT DISTINCT CAST(batch_id AS TEXT) AS id FROM tasks';
    this.#byId = connection.prepare(`${select} WHERE batch_id = ?`);
    this.#byEnding = connection.prepare(
      `${select} WHERE batch_id % ? = ? ORDER BY batch_id DESC LIMIT ${namedCandidates + 1}`,
    );
  }

  /**
   * The batch of a whole ID, or of an unambiguous ending of at least 6 digits.
   * @throws RequestError `not-found/batch`, or `ambiguous/id` with some of the candidates.
   */
  resolve(text: string): BatchId {
    const found = this.#find(text);
    if (found.length > 1) {
      const named = found.slice(0, namedCandidates).join(', ');
      throw new RequestError(
        'ambiguous/id',
        `${JSON.stringify(text)} may be several batches: ${named}. Give a whole ID.`,
        { details: { batch: text, candidates: named } },
      );
    }
    if (found[0] !== undefined) return found[0];
    throw new RequestError(
      'not-found/batch',
      `There is no batch ${JSON.stringify(text)}: give a whole ID or the last 6 digits or more of one.`,
      { details: { batch: text } },
    );
  }

  #find(text: string): BatchId[] {
    if (!batchId.safeParse(text).success && !/^\d{6,18}$/.test(text)) return [];
    const number = BigInt(text);
    if (number > largestId) return [];
    const whole = this.#byId.all(number);
    if (whole.length > 0 || text.length < 6 || text.length > 18) return ids(whole);
    return ids(this.#byEnding.all(10n ** BigInt(text.length), number));
  }
}

function ids(rows: readonly unknown[]): BatchId[] {
  return rows.map((row) => idRow.parse(row).id);
}
