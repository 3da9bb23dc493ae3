// Prints a database of the newest version as SQL, with a bit of everything in it. Run once for each
// released version, and keep what it prints: node make-fixture.ts > ../fixtures/0001.sql
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openStore } from '../../../../src-main/store/open.ts';
import { aNode, aPoint } from '../nodes.ts';
import { aTask, asNew, everyState, nodeOne, start } from '../tasks.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'kohakuriver-fixture-'));
const clock = { now: () => start, monotonic: () => performance.now() };
const store = await openStore({ dataDir, clock, host: 'fixture', log: { warn: () => undefined } });
store.nodes.insert(aNode());
const tasks = everyState.map((state, n) =>
  aTask(n, { state, spec: { name: `t${n}`, labels: { n: `${n}` } } }),
);
store.tasks.insertMany(tasks.map(asNew));
const record = { kind: 'warned', why: null, who: 'scheduler' } as const;
const effects = [{ kind: 'start-attempt', nodeId: nodeOne, attempt: 1 }] as const;
store.tasks.save({ task: tasks[3]!, effects, record }, tasks[3]!, start);
store.metrics.append(nodeOne, [aPoint(start)]);
store.vault.put({
  scope: 'node/1',
  name: 'password',
  value: 'not kept: the key file is not in the fixture',
});
await store.close();

const database = new Sqlite(join(dataDir, 'kohakuriver.db'), { readonly: true });
const print = (line: string) => void process.stdout.write(`${line};\n`);
const schema = database
  .prepare(
    `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
  )
  .all() as { type: string; name: string; sql: string }[];
for (const { sql } of schema) print(sql);
for (const { name } of schema.filter(({ type }) => type === 'table')) {
  const columns = database.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all();
  const values = columns.map((column) => `quote(${String(column)})`).join(` || ', ' || `);
  for (const row of database.prepare(`SELECT ${values} FROM ${name}`).pluck().all()) {
    print(`INSERT INTO ${name} VALUES (${String(row)})`);
  }
}
print(`PRAGMA user_version = ${String(database.pragma('user_version', { simple: true }))}`);
database.close();
rmSync(dataDir, { recursive: true });
