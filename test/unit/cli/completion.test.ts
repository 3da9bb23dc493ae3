import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src-main/hosts/cli/program.ts';
import { completionScript } from '../../../src-main/hosts/cli/completion-scripts.ts';
import { memorySink } from './memory-io.ts';

const program = createProgram(
  { action: (command) => command },
  { out: memorySink(), err: memorySink() },
);
const bash = completionScript(program, 'bash');

/** What bash would offer after these words. */
function offered(words: readonly string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `${bash}\nCOMP_WORDS=(${list})\nCOMP_CWORD=${String(words.length - 1)}\n_kohakuriver\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const run = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter((line) => line !== '');
}

test('words and options complete in bash', () => {
  expect(offered(['kohakuriver', 'ta'])).toEqual(['task']);
  expect(offered(['kohakuriver', 'task', 'su'])).toEqual(['submit']);
  expect(offered(['kohakuriver', '--json', 'task', 'submit', '--gpu-m'])).toEqual([
    '--gpu-model',
    '--gpu-memory',
  ]);
});

test('nothing of ours is offered after --', () => {
  expect(offered(['kohakuriver', 'task', 'submit', '--', 'x', '--'])).toEqual([]);
});

test('zsh and fish get every command too', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(program, shell);
    expect(script).toContain('import-ssh-config');
    expect(script).toContain('resubmit');
  }
});
