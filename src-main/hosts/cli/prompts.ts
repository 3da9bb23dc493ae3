import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Questions to the person at the terminal. */
export interface Prompts {
  /** Yes or no; anything but a clear yes is no. */
  confirm(question: string): Promise<boolean>;
  /** Reads a line without showing it. Undefined when nothing was typed. */
  secret(question: string): Promise<string | undefined>;
}

export interface PromptStreams {
  input: NodeJS.ReadableStream;
  /** Questions go to standard error: standard output belongs to the answer of the command. */
  output: NodeJS.WritableStream;
  signal: AbortSignal;
  /** Ctrl-C at a question: the terminal gives it to the question, not as a signal. */
  onInterrupt: () => void;
}

/** Asks over a terminal. */
export function terminalPrompts(streams: PromptStreams): Prompts {
  return {
    async confirm(question) {
      const answer = await ask(streams, { question: `${question} [y/N] `, isShown: true });
      return /^y(es)?$/i.test(answer.trim());
    },
    async secret(question) {
      const answer = await ask(streams, { question: `${question}: `, isShown: false });
      return answer === '' ? undefined : answer;
    },
  };
}

async function ask(
  { input, output, signal, onInterrupt }: PromptStreams,
  { question, isShown }: { question: string; isShown: boolean },
): Promise<string> {
  const silent = new Writable({
    write(_chunk, _encoding, callback) {
      callback();
    },
  });
  if (!isShown) output.write(question);
  const lines = createInterface({ input, output: isShown ? output : silent, terminal: true });
  lines.once('SIGINT', onInterrupt);
  try {
    return await lines.question(isShown ? question : '', { signal });
  } finally {
    lines.close();
    if (!isShown) output.write('\n');
  }
}
