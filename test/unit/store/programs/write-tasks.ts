// Stores tasks as fast as it can, every third with a transition in the same turn, and says after
// each how many are durable.
import { openStore } from '../../../../src-main/store/open.ts';
import { aPlace, aTask, asNew, nodeOne, start } from '../tasks.ts';

const clock = { now: () => start, monotonic: () => performance.now() };
const [, , dataDir = '', from = '0'] = process.argv;
const store = await openStore({ dataDir, clock, host: 'writer', log: { warn: () => undefined } });
for (let n = Number(from); ; n += 1) {
  const task = aTask(n);
  store.tasks.insertMany([asNew(task)]);
  if (n % 3 === 0) {
    const state = {
      status: 'ASSIGNING',
      since: start,
      place: aPlace,
      assignedAt: start,
      kill: null,
    } as const;
    store.tasks.save(
      {
        task: { ...task, attempt: 1, state },
        effects: [{ kind: 'start-attempt', nodeId: nodeOne, attempt: 1 }],
        record: { kind: 'placed', why: null, who: 'scheduler' },
      },
      task,
      start,
    );
  }
  await store.flushed();
  process.send?.(n + 1);
}
