import { z } from 'zod';
import { RequestError } from '../contract/errors.ts';
import { taskId, type TaskId } from '../contract/ids.ts';
import type { Connection, Statement } from './connection.ts';

const idRow = z.object({ id: taskId });

/** IDs of one core begin alike for hours, so people name a task by the end of its ID. */
const shortestEnding = 6;
const largestId = 2n ** 63n - 1n;

/** How many candidates an error names. */
const namedCandidates = 5;

/** Finds the task people mean. */
export class TaskRefs {
  readonly #byId: Statement;
  readonly #byName: Statement;
  readonly #byEnding: Statement;

  constructor(connection: Connection) {
    const select = 'SELECT CAST(id AS TEXT) AS id FROM tasks';
    const newest = `ORDER BY id DESC LIMIT ${namedCandidates + 1}`;
    this.#byId = connection.prepare(`${select} WHERE id = ?`);
    this.#byName = connection.prepare(`${select} WHERE name = ? ${newest}`);
    this.#byEnding = connection.prepare(
      `${select} WHERE id % 1000000 = ? AND id % ? = ? ${newest}`,
    );
  }

  /**
   * The task of a whole ID, of a name only one task has, or of an unambiguous ending of an ID of at
   * least 6 digits; in this order.
   * @throws RequestError `not-found/task`, or `ambiguous/id` with some of the candidates.
   */
  resolve(text: string): TaskId {
    for (const find of [this.#findId, this.#findName, this.#findEnding]) {
      const found = find(text);
      if (found.length > 1) throw ambiguous(text, found);
      if (found[0] !== undefined) return found[0];
    }
    throw new RequestError(
      'not-found/task',
      `There is no task ${JSON.stringify(text)}: give a whole ID, the last ${shortestEnding} digits or more of one, or a task's name.`,
      { details: { task: text } },
    );
  }

  readonly #findId = (text: string): TaskId[] => {
    if (!taskId.safeParse(text).success || BigInt(text) > largestId) return [];
    return ids(this.#byId.all(BigInt(text)));
  };

  readonly #findName = (text: string): TaskId[] => ids(this.#byName.all(text));

  readonly #findEnding = (text: string): TaskId[] => {
    if (!/^\d{6,18}$/.test(text)) return [];
    const ending = BigInt(text);
    return ids(this.#byEnding.all(ending % 1_000_000n, 10n ** BigInt(text.length), ending));
  };
}

function ids(rows: readonly unknown[]): TaskId[] {
  return rows.map((row) => idRow.parse(row).id);
}

function ambiguous(text: string, found: readonly TaskId[]): RequestError {
  const named = found.slice(0, namedCandidates).join(', ');
  const more = found.length > namedCandidates ? ' and more' : '';
  return new RequestError(
    'ambiguous/id',
    `${JSON.stringify(text)} may be several tasks: ${named}${more}. Give a whole ID.`,
    { details: { task: text, candidates: found.slice(0, namedCandidates).join(',') } },
  );
}
