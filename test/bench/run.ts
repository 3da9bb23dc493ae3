// Runs benches one after the other and prints what they say as Markdown, to be pasted into
// RESULTS.md. Run: node test/bench/run.ts [name…] (npm run bench -- name…); all of them without a name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { loadWords, machineWords } from './support/figures.ts';

/** Those that print plain lines are put into a code block. */
const benches = {
  plan: 'text',
  store: 'text',
  logs: 'text',
  submit: 'markdown',
  overhead: 'markdown',
  steady: 'markdown',
  throughput: 'markdown',
  files: 'markdown',
  reach: 'markdown',
  terminals: 'markdown',
  queue: 'markdown',
} as const;
type Name = keyof typeof benches;
const isName = (word: string): word is Name => word in benches;

async function run(name: Name): Promise<boolean> {
  const isText = benches[name] === 'text';
  if (isText) {
    const day = new Date().toISOString().slice(0, 16).replace('T', ' ');
    console.log(`### \`node test/bench/${name}.ts\`\n`);
    console.log(`${day} UTC · ${machineWords()} · load average at the start ${loadWords()}\n`);
    console.log('```');
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (isText) console.log('```\n');
  if (code !== 0) console.log(`**${name} failed with exit code ${code}.**\n`);
  return code === 0;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((word) => !isName(word));
if (unknown.length > 0) {
  console.error(`No bench is called ${unknown.join(', ')}: ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
const names = asked.length === 0 ? (Object.keys(benches) as Name[]) : asked.filter(isName);
for (const name of names) if (!(await run(name))) process.exitCode = 1;
