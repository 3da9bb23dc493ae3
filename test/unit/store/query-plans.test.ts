import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { BatchId } from '../../../src-main/contract/ids.ts';
import { taskWindowQuery, type TaskWindowQuery } from '../../../src-main/contract/task.ts';
import { countsQuery, rowsQuery, type Query } from '../../../src-main/store/task-window.ts';
import { aStore, nodeOne } from './support.ts';

/** The steps of a plan; the last two are always the whole rows of the window and their order. */
async function planOf({ sql, values }: Query): Promise<string[]> {
  const { store, dataDir } = await aStore();
  await store.flushed();
  const database = new Sqlite(join(dataDir, 'kohakuriver.db'), { readonly: true });
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
  database.close();
  return rows.map(({ detail }) => detail);
}

describe('a window', () => {
  test.each<[Partial<TaskWindowQuery>, string]>([
    [{ sort: 'newest' }, 'SCAN t'],
    [{ sort: 'oldest' }, 'SCAN t'],
    [{ sort: 'queue' }, 'SCAN t USING COVERING INDEX tasks_by_priority'],
    [{ sort: 'name' }, 'SCAN t USING COVERING INDEX tasks_by_display_name'],
    [{ sort: 'finished' }, 'SCAN t USING COVERING INDEX tasks_by_end'],
    [
      { filter: { statuses: ['PENDING'] }, sort: 'queue' },
      'SEARCH t USING COVERING INDEX tasks_by_queue (status=?)',
    ],
    [
      { filter: { statuses: ['PENDING'] } },
      'SEARCH t USING COVERING INDEX tasks_by_status (status=?)',
    ],
  ])('%j needs no sorting', async (query, step) => {
    const plan = await planOf(rowsQuery(taskWindowQuery.parse(query)));
    expect(plan[1]).toBe(step);
    expect(plan[2]).toMatch(/^SCAN chosen|^USE TEMP B-TREE FOR LAST TERM|^SCAN/);
  });

  test.each<[TaskWindowQuery['filter'], string]>([
    [{ nodeId: nodeOne }, 'tasks_by_node (node_id=?)'],
    [{ owner: 'anna' }, 'tasks_by_owner (owner=?)'],
    [{ owner: 'anna', statuses: ['FAILED'] }, 'tasks_by_owner (owner=? AND status=?)'],
    [{ batchId: '1' as BatchId }, 'tasks_by_batch (batch_id=?)'],
  ])('of %j is found by an index', async (filter, index) => {
    expect((await planOf(rowsQuery(taskWindowQuery.parse({ filter })))).join('\n')).toContain(
      index,
    );
  });

  test('reads requests of the rows it shows only', async () => {
    const plan = await planOf(rowsQuery(taskWindowQuery.parse({ filter: { text: 'x' } })));
    expect(plan.filter((step) => /\bs\b/.test(step))).toEqual([
      'SEARCH s USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
  });

  test('is counted from an index', async () => {
    expect(await planOf(countsQuery({}))).toEqual(['SCAN t USING COVERING INDEX tasks_by_status']);
    expect((await planOf(countsQuery({ owner: 'anna' }))).join()).toContain(
      'USING COVERING INDEX tasks_by_owner',
    );
  });
});
