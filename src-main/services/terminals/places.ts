// Where terminals run: a target as people name it becomes a place that programs can be started in.
import type { NodeId } from '../../contract/ids.ts';
import type { TerminalSize, TerminalTarget } from '../../contract/terminals.ts';
import type { NodeLink, RemoteProcess } from '../../link/node-link.ts';
import type { ContainerAccess } from '../../runtimes/docker/access.ts';
import type { FleetNode } from '../fleet.ts';
import { UnknownNodeError } from '../nodes/errors.ts';
import { noShell, notNow } from './errors.ts';
import type { TerminalParts } from './ports.ts';

export interface StartOptions {
  /** Undefined: the shell people log in to. */
  readonly command: readonly string[] | undefined;
  readonly size: TerminalSize | undefined;
  readonly stdin?: boolean;
  readonly mark: string;
}

/** A node, or a container on one. */
export interface Place {
  readonly nodeId: NodeId;
  /** For people: `alpha`, or `web on alpha`. */
  readonly text: string;
  readonly container: string | null;
  /** Starts a program. Throws LinkError, DockerError, TerminalError. */
  start(options: StartOptions): Promise<RemoteProcess>;
  /** Runs a short command and gives its output; what it prints is the far side's word. */
  ask(command: readonly string[], mark: string): Promise<string>;
  /** Ends what an earlier connection left running under a mark. */
  sweep(mark: string): Promise<void>;
}

const term = 'xterm-256color';
/** More than that is no answer to what is asked. */
const longestAnswerBytes = 4096;
/** The shell of whoever runs it, else the best one there is. */
const bestShell =
  'for s in "$SHELL" /bin/bash /usr/bin/bash /bin/zsh /bin/ash /bin/sh; do [ -x "$s" ] && exec "$s" -l; done; exec sh';
const containerShell = ['sh', '-c', bestShell];
const containerEnv = { TERM: term, COLORTERM: 'truecolor', LANG: 'C.UTF-8' };

/** The command that starts the shell in a folder; one that cannot be entered is left out. */
export function shellIn(folder: string): readonly string[] {
  return ['sh', '-c', `cd "$1" 2>/dev/null; ${bestShell}`, 'sh', folder];
}

/**
 * Finds the place. Throws UnknownNodeError, `not-found/task`, `docker/container-not-found`, or
 * TerminalError where it cannot be entered now.
 */
export async function findPlace(parts: TerminalParts, target: TerminalTarget): Promise<Place> {
  if (target.kind === 'node') return nodePlace(parts, target.node);
  if (target.kind === 'task') return taskPlace(parts, target.task);
  const node = needNode(parts, target.node);
  return containerPlace(parts, node, { container: target.container, text: target.container });
}

function nodePlace(parts: TerminalParts, reference: string): Place {
  const node = needNode(parts, reference);
  const link = (): NodeLink => needOnline(parts.nodes.link(node.id), node);
  link();
  return {
    nodeId: node.id,
    text: node.name,
    container: null,
    start: async ({ command, size, mark }) => {
      const pty = size === undefined ? undefined : { ...size, term };
      if (command === undefined && pty !== undefined) return link().shell(pty);
      const env = { KOHAKURIVER_TERMINAL: mark, COLORTERM: 'truecolor' };
      return link().spawn(command ?? ['sh'], { env, ...(pty === undefined ? {} : { pty }) });
    },
    ask: async (command) => {
      const { stdout } = await link().run(command, { maxOutputBytes: longestAnswerBytes });
      return stdout.toString();
    },
    // sshd hangs up what ran on the terminal of a connection that is gone.
    sweep: () => Promise.resolve(),
  };
}

function taskPlace(parts: TerminalParts, reference: string): Promise<Place> {
  const task = parts.tasks.get(reference);
  const name = task.name ?? `task ${task.id}`;
  const what = task.type === 'vps' ? 'VPS' : 'task';
  if (task.status !== 'RUNNING' || task.nodeId === null) {
    throw notNow(
      `The ${what} ${name} is ${task.status}: there is nothing to go into. It has to be RUNNING.`,
      name,
    );
  }
  const node = parts.nodes.node(task.nodeId);
  if (node === undefined) throw new UnknownNodeError(task.node ?? task.nodeId);
  if (task.container === null) {
    throw notNow(
      `The ${what} ${name} runs as a plain process, which has no inside to go into. Open a terminal on ${node.name} instead.`,
      name,
    );
  }
  return containerPlace(parts, node, { container: task.container, text: name });
}

async function containerPlace(
  parts: TerminalParts,
  node: FleetNode,
  { container, text }: { container: string; text: string },
): Promise<Place> {
  const access = (): ContainerAccess => {
    needOnline(parts.nodes.link(node.id), node);
    const found = parts.nodes.containers(node.id);
    if (found !== undefined) return found;
    throw notNow(`Docker on ${node.name} does not answer. Try again in a moment.`, node.name);
  };
  const look = await access().look(container);
  if (!look.isOurs) {
    throw notNow(`${container} on ${node.name} was not made by this core; it is left alone.`, text);
  }
  if (!look.isRunning || look.isPaused) {
    const how = look.isPaused ? 'is paused' : 'does not run';
    throw notNow(`${text} ${how}: there is nothing to go into.`, text);
  }
  return {
    nodeId: node.id,
    text: `${text} on ${node.name}`,
    container,
    start: async ({ command, size, stdin, mark }) => {
      if (command === undefined && !(await access().has(container, '/bin/sh'))) {
        throw noShell(text);
      }
      return access().exec(container, {
        command: command ?? containerShell,
        env: containerEnv,
        mark,
        ...(size === undefined ? {} : { pty: size }),
        ...(stdin === undefined ? {} : { stdin }),
      });
    },
    ask: async (command, mark) => {
      const process = await access().exec(container, { command, mark, stdin: false });
      process.stderr.resume();
      return readShort(process);
    },
    sweep: (mark) => access().signalMarked(container, { mark, signal: 'SIGHUP' }),
  };
}

async function readShort(process: RemoteProcess): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdout) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length <= longestAnswerBytes) chunks.push(bytes);
  }
  await process.ended;
  return Buffer.concat(chunks).toString();
}

function needNode(parts: TerminalParts, reference: string): FleetNode {
  const node = parts.nodes.find(reference);
  if (node === undefined) throw new UnknownNodeError(reference);
  return node;
}

function needOnline(link: NodeLink | undefined, node: FleetNode): NodeLink {
  if (link?.isOpen === true) return link;
  const why = node.reason === null ? '' : ` ${node.reason}`;
  throw notNow(
    `${node.name} is ${node.state === 'online' ? 'connecting' : node.state}.${why}`,
    node.name,
  );
}
