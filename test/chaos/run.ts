// npm run chaos: a hundred tasks on three real nodes (sshd, Docker Engine) while links, nodes, Engines,
// disks and the core itself fail in an order that a seed decides; then everything heals, and the records
// on the nodes say whether all went as it had to. Needs what the testbed needs: root on Linux.
import { parseArgs } from 'node:util';
import { Dice } from '../support/random.ts';
import { requirements } from '../support/testbed.ts';
import { judge, type Verdict } from './checks.ts';
import { Chaos } from './faults.ts';
import { ChaosStage, pause } from './stage.ts';
import { makeWork, type Work } from './work.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    tasks: { type: 'string', default: '100' },
    /** How long things go wrong at most; tasks that are left then end in peace. */
    minutes: { type: 'string', default: '3' },
  },
});
const seed = Number(values.seed);
const count = Number(values.tasks);
const chaosMs = Number(values.minutes) * 60_000;
/** A little after this nothing may be left to do. */
const patienceMs = 600_000;

/** Asks the core that runs; while it is gone or its disk is full, again. */
async function ask<T>(
  stage: ChaosStage,
  question: (core: Awaited<ReturnType<ChaosStage['core']>>) => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await question(await stage.core());
    } catch (error) {
      if (tries === 5) stage.say(`the core does not answer: ${String(error)}`);
      if (tries > 120) throw error;
      await pause(1000);
    }
  }
}

async function submitAll(stage: ChaosStage, work: readonly Work[]): Promise<Map<string, Work>> {
  const submissions = work.map(({ submission }) => submission);
  const { batches } = await (await stage.core()).api.tasks.submitMany({ submissions });
  const ids = batches.flatMap(({ taskIds }) => taskIds);
  return new Map(work.flatMap((one, index) => (ids[index] ? [[ids[index], one] as const] : [])));
}

/** People end some of it at any time. */
async function killSome(stage: ChaosStage, ids: readonly string[], dice: Dice) {
  const killed = new Set<string>();
  for (let number = 0; number < Math.ceil(ids.length / 12); number += 1) {
    await pause(dice.between(3000, 12_000));
    const id = dice.oneOf(ids);
    if (id === undefined) continue;
    killed.add(id);
    const graceSeconds = dice.between(0, 5);
    await ask(stage, ({ api }) => api.tasks.kill({ tasks: [id], graceSeconds }));
  }
  return killed;
}

async function allEnd(stage: ChaosStage): Promise<void> {
  const end = Date.now() + patienceMs;
  for (let round = 0; ; round += 1) {
    const counts = (await ask(stage, ({ api }) => api.core.status())).tasks;
    const open = (['PENDING', 'ASSIGNING', 'RUNNING', 'PAUSED', 'LOST'] as const).filter(
      (status) => (counts[status] ?? 0) > 0,
    );
    if (open.length === 0) return;
    if (round % 15 === 14) stage.say(`open: ${JSON.stringify(counts)}`);
    if (Date.now() > end) throw new Error(`not in time: ${JSON.stringify(counts)}`);
    await pause(1000);
  }
}

function print(stage: ChaosStage, verdict: Verdict): void {
  const faults = new Map<string, number>();
  for (const { kind } of stage.done) faults.set(kind, (faults.get(kind) ?? 0) + 1);
  const list = (entries: Iterable<readonly [string, number]>) =>
    [...entries].map(([name, number]) => `${name} ${String(number)}`).join(', ');
  process.stdout.write(
    [
      `chaos with seed ${String(seed)}: ${String(count)} tasks on 3 nodes, ${String(verdict.attempts)} attempts really started`,
      `  done to them: ${list(faults)}`,
      `  ends: ${list(Object.entries(verdict.ends))}`,
      `  logs compared: ${(verdict.bytes / 1e6).toFixed(1)} MB`,
      ...verdict.violations.map((violation) => `  VIOLATION: ${violation}`),
      `  ${String(verdict.violations.length)} violations`,
      '',
    ].join('\n'),
  );
}

const can = await requirements();
if (!can.isMet) {
  process.stderr.write(`The chaos run needs the testbed: ${JSON.stringify(can)}\n`);
  process.exit(2);
}
await using stage = await ChaosStage.begin();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stage[Symbol.asyncDispose]().finally(() => process.exit(130)));
const dice = new Dice(seed);
const work = makeWork(dice, count, await stage.tools());
const ordered = await submitAll(stage, work);
const chaos = new Chaos(stage, new Dice(seed + 1_000_000));
const failing = chaos.run();
const killing = killSome(stage, [...ordered.keys()], new Dice(seed + 2_000_000));
await Promise.race([allEnd(stage), pause(chaosMs)]);
chaos.end();
await failing;
stage.say('all is healed');
const killed = await killing;
await allEnd(stage);
stage.say('all has ended');
const verdict = await judge(stage, { work: ordered, killed });
print(stage, verdict);
process.exitCode = verdict.violations.length === 0 ? 0 : 1;
