// What the suites of both runtimes share: attempts to run, a link to a node, reading logs.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { CoreId, TaskId } from '../../../src-main/contract/ids.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';
import { connectSsh } from '../../../src-main/link/ssh/connect.ts';
import { KnownHosts } from '../../../src-main/link/ssh/known-hosts.ts';
import type {
  AttemptSpec,
  LogChunk,
  ObservedAttempt,
  Runtime,
} from '../../../src-main/runtimes/runtime.ts';
import type { Testbed, TestbedUser } from '../../support/testbed.ts';

export const core = '7770001' as CoreId;
export const otherCore = '7770002' as CoreId;
export const never = new AbortController().signal;

let lastTask = Date.now() * 1000;

/** An attempt of a task of its own that runs shell text. */
export function attemptOf(text: string, changes: Partial<AttemptSpec> = {}): AttemptSpec {
  lastTask += 1;
  return {
    taskId: String(lastTask) as TaskId,
    attempt: 1,
    batchId: '1',
    taskType: 'command',
    nodeName: 'n1',
    owner: 'anna',
    name: null,
    work: { kind: 'script', text },
    vessel: { kind: 'image', reference: 'river/busybox:1' },
    env: {},
    mounts: [],
    workdir: null,
    user: null,
    privileged: false,
    cores: 1,
    memoryBytes: null,
    numa: null,
    gpus: [],
    labels: {},
    logBufferBytes: 1024 ** 3,
    ...changes,
  };
}

/** Prepares, creates and starts, as the core does. */
export async function launch(runtime: Runtime, spec: AttemptSpec): Promise<void> {
  const prepared = await runtime.prepare(spec, { signal: never, onProgress: () => undefined });
  if (runtime.launch !== undefined) return runtime.launch(spec, prepared);
  await runtime.create(spec, prepared);
  await runtime.start(spec);
}

/** Runs to the end and tells how it was. */
export async function runToEnd(runtime: Runtime, spec: AttemptSpec): Promise<ObservedAttempt> {
  await launch(runtime, spec);
  const ended = await runtime.waitForEnd(spec, never);
  if (ended === undefined) throw new Error('it vanished');
  return ended;
}

export interface ReadLog {
  stdout: Buffer;
  stderr: Buffer;
  gaps: number;
}

/** The whole log; `cutAfter` says after how many chunks to break off and go on from the cursor. */
export async function readAll(
  runtime: Runtime,
  spec: AttemptSpec,
  cutAfter: () => number = () => Infinity,
): Promise<ReadLog> {
  const parts: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] };
  let cursor: string | null = null;
  let gaps = 0;
  for (let isDone = false; !isDone;) {
    let left = cutAfter();
    isDone = true;
    for await (const chunk of runtime.logs(spec, cursor, never)) {
      parts[chunk.stream].push(chunk.bytes);
      cursor = chunk.cursor;
      if (chunk.isAfterGap === true) gaps += 1;
      left -= 1;
      if (left <= 0) {
        isDone = false;
        break;
      }
    }
  }
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), gaps };
}

/** The first chunk of a followed log whose text holds the words. */
export async function seeInLog(
  runtime: Runtime,
  spec: AttemptSpec,
  words: string,
): Promise<LogChunk> {
  let text = '';
  for await (const chunk of runtime.logs(spec, null, never)) {
    text += Buffer.from(chunk.bytes).toString('latin1');
    if (text.includes(words)) return chunk;
  }
  throw new Error(`the log ended without ${words}: ${text}`);
}

export function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** A link over SSH to a node of a bed. */
export async function sshTo(
  bed: Testbed,
  node = 'n1',
  user: TestbedUser = 'ops',
): Promise<NodeLink> {
  const { address, port } = bed.node(node);
  return connectSsh({
    destination: { host: address, port, user },
    ...(user === 'pw' ? { password: bed.password } : { identityFile: bed.keyPath }),
    useSshConfig: false,
    agentSocket: null,
    knownHosts: new KnownHosts({
      userFiles: [bed.knownHostsPath],
      ownFile: join(bed.dir, 'own_known_hosts'),
    }),
    timeoutMs: 20_000,
  });
}
