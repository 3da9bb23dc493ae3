// Commands that pass or fail as a whole.
import { spawn } from 'node:child_process';
import type { Outcome } from './outcome.ts';

/** Runs `npm run SCRIPT` and keeps what it prints until it has ended, so that steps side by side do not mix. */
async function runStep(name: string, script: string): Promise<Outcome> {
  const startedAt = performance.now();
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk));
  const ok = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`\n── ${name}: ${ok ? 'passed' : 'failed'} (${seconds.toFixed(0)} s)`);
  process.stdout.write(Buffer.concat(output));
  return {
    name,
    passed: ok ? 1 : 0,
    failed: ok ? 0 : 1,
    skipped: 0,
    seconds,
    notes: ok ? [] : ['failed'],
    files: [],
  };
}

/** Two at a time: each of them keeps one core busy. */
const lanes = 2;

/** Runs steps, name and script, side by side; answers in their order. */
export async function runSteps(
  steps: readonly (readonly [name: string, script: string])[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const next = steps.entries();
  const lane = async () => {
    for (const [index, [name, script]] of next) outcomes[index] = await runStep(name, script);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes;
}
