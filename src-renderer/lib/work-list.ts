// A list of commands, one a line: each becomes a task of its own.
import { mostElements } from '../../src-main/contract/task-shape.ts';
import { splitWords } from './shell-words.ts';

export type CommandList =
  | { ok: true; commands: readonly string[][] }
  | { ok: false; problem: string };

/** Empty lines, and lines that begin with `#`, are no commands. */
export function readList(text: string): CommandList {
  const commands: string[][] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const split = splitWords(line);
    if (!split.ok) return { ok: false, problem: `Line ${String(at + 1)}: ${split.problem}` };
    commands.push(split.words);
  }
  if (commands.length === 0)
    return { ok: false, problem: 'Write what is to run, a line for each task.' };
  if (commands.length > mostElements)
    return {
      ok: false,
      problem: `${String(commands.length)} lines are too many: at most ${String(mostElements)} at once.`,
    };
  return { ok: true, commands };
}
