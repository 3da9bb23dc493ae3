import type { Client } from '../../../contract/client.ts';
import { FrameSource } from '../../../contract/frame-source.ts';
import type { TerminalTarget, TerminalView } from '../../../contract/terminals.ts';
import type { Call } from '../call.ts';
import { EscapeKeys } from '../escape-keys.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RawTerminal } from '../raw-terminal.ts';
import { findTarget } from '../terminal-target.ts';
import { exitCodeOfEnd, followSize, showOutput } from '../terminal-stream.ts';

/** `connect`: a shell to work in, until it ends or is left with `~.`. */
export async function connectTerminal(call: Call, place: string | TerminalTarget): Promise<number> {
  const { terminal } = call.io;
  const size = terminal?.size;
  if (terminal === undefined || size === undefined) {
    throw new UsageError(
      'connect needs a terminal on both sides. In scripts run a program with "terminal exec" instead.',
    );
  }
  const { client } = await call.connect();
  const view =
    typeof place === 'string'
      ? await findOrOpen(client, place, size)
      : await client.api.terminals.open({ target: place, size });
  return work(call, { client, view, terminal, size });
}

async function findOrOpen(
  client: Client,
  reference: string,
  size: TerminalView['size'],
): Promise<TerminalView> {
  const open = await client.api.terminals.list();
  const there = open.find(({ id, name }) => id === reference || name === reference);
  if (there !== undefined) return there;
  const target = await findTarget(client.api, reference);
  return client.api.terminals.open({ target, size });
}

interface Work {
  readonly client: Client;
  readonly view: TerminalView;
  readonly terminal: RawTerminal;
  readonly size: TerminalView['size'];
}

async function work(call: Call, { client, view, terminal, size }: Work): Promise<number> {
  const source = new FrameSource();
  const left = new AbortController();
  using _raw = terminal.raw();
  using _size = followSize(call, source);
  const stream = client.openStream(
    'terminals.attach',
    { terminal: view.id, size, answers: true },
    { upload: source, signal: left.signal },
  );
  void sendKeys(call, source, () => left.abort(new DOMException('Detached.', 'AbortError')));
  try {
    const end = await showOutput(call, stream, { clears: view.viewers > 0 });
    if (end === undefined) return exitCodes.failed;
    if (end.reason !== null) await call.say(`\r\n${end.reason}\r`);
    else await client.api.terminals.close({ terminal: view.id });
    return exitCodeOfEnd(end);
  } catch (error) {
    if (!left.signal.aborted) throw error;
    await call.say(
      `\r\nDetached; the terminal goes on. Go back with: kohakuriver connect ${view.id}\r`,
    );
    return exitCodes.done;
  } finally {
    source.end();
  }
}

async function sendKeys(call: Call, source: FrameSource, detach: () => void): Promise<void> {
  const escape = new EscapeKeys();
  for await (const keys of call.io.keys()) {
    const { send, isDetach } = escape.read(keys);
    if (send.byteLength > 0) source.send({ kind: 'input', bytes: send });
    if (isDetach) break;
    await source.room();
  }
  detach();
}
