// How fast trivial process tasks go through one node, from the first submission until all have
// ended and their logs are stored. The node is this computer, which is made to say that it has 16
// processors: so 16 run at a time. (queue.ts compares with others.)
// Run: node test/bench/throughput.ts [--tasks 2000] [--slots 16]
import { tmpdir } from 'node:os';
import type { NodeLink } from '../../src-main/link/node-link.ts';
import { until } from '../support/core-client.ts';
import { startCore, type TestCore } from '../support/core.ts';
import { loadWords, option, printHeading, printTable, timeMs } from './support/figures.ts';

const total = option('tasks', 2000);
const slots = option('slots', 16);
const rounds = option('rounds', 3);

/** The link to this computer, whose probe says another number of processors. */
function withSlots(real: NodeLink): NodeLink {
  return new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'runScript') return value.bind(target) as unknown;
      return async (...call: Parameters<NodeLink['runScript']>) => {
        const result = await target.runScript(...call);
        const stdout = result.stdout
          .toString('latin1')
          .replace(/@cores\n\|\d+/, `@cores\n|${slots}`);
        return { ...result, stdout: Buffer.from(stdout, 'latin1') };
      };
    },
  });
}

async function allEnd({ api }: TestCore, count: number): Promise<void> {
  const over = new AbortController();
  const watch = { filter: {}, limit: 1 } as const;
  try {
    for await (const { value } of await api.tasks.watchWindow(watch, { signal: over.signal })) {
      if ((value.counts.COMPLETED ?? 0) >= count) return;
      if ((value.counts.FAILED ?? 0) > 0) throw new Error('a task failed');
    }
  } finally {
    over.abort();
  }
}

printHeading('Trivial process tasks through one node (`node test/bench/throughput.ts`)');
const rows: string[][] = [];
await using core = await startCore({
  replace: {
    links: (real) => ({ ...real, openLocal: async () => withSlots(await real.openLocal()) }),
  },
});
await until(
  async () => (await core.api.nodes.list())[0]?.facts?.cores === slots,
  `this computer has ${slots} slots`,
);
for (let round = 1; round <= rounds; round += 1) {
  const cpu = process.cpuUsage();
  const { ms } = await timeMs(async () => {
    await core.api.tasks.submitMany({
      submissions: Array.from({ length: total }, () => ({
        work: { kind: 'command' as const, argv: ['true'] },
        vessel: { kind: 'process' as const },
        workdir: tmpdir(),
      })),
    });
    await allEnd(core, total * round);
  });
  const { user, system } = process.cpuUsage(cpu);
  rows.push([
    String(round),
    (ms / 1000).toFixed(1),
    ((total / ms) * 1000).toFixed(1),
    ((user + system) / 1000 / total).toFixed(2),
    loadWords(),
  ]);
}
console.log(
  `${total} × \`true\`, ${slots} at a time, logs collected, core in the bench's process.\n`,
);
printTable(['round', 'seconds', 'tasks a second', 'CPU of the core per task, ms', 'load'], rows);
