// What process-list.sh prints, read and judged. All of it came from the node: it is checked, and
// lines that make no sense are passed over.
import { coreId, taskId, type Instant } from '../../contract/ids.ts';
import type { ObservedAttempt } from '../runtime.ts';
import { signalOfExitCode } from '../signals.ts';

/** The directory of one attempt as the node described it. */
export interface AttemptRecord {
  /** `TASK/ATTEMPT`, with `.kept` behind it for one that was kept. */
  readonly path: string;
  readonly meta: ReadonlyMap<string, string>;
  readonly isLaunched: boolean;
  /** For how long a launched attempt has had no process. Seconds. */
  readonly waitSeconds: number | null;
  readonly process: {
    readonly begun: string;
    readonly bootId: string;
    readonly startedAt: Instant;
  } | null;
  readonly seen:
    | { readonly kind: 'there'; readonly state: string; readonly begun: string }
    | { readonly kind: 'gone'; readonly members: number }
    | null;
  readonly exit: ExitRecord | null;
}

/** What the script around the work wrote when it had ended. */
export interface ExitRecord {
  readonly code: number;
  /** How long it ran, by the node's own counting. */
  readonly ranMs: number;
  readonly oomKilled: boolean;
}

export interface NodeRecords {
  /** `~/.kohakuriver/<machine-id>` spelled out. */
  readonly root: string;
  readonly bootId: string;
  /** By the core's clock: when this was told, and when the node came up. */
  readonly now: Instant;
  readonly bootedAt: Instant;
  readonly attempts: readonly AttemptRecord[];
}

type MutableRecord = { -readonly [K in keyof AttemptRecord]: AttemptRecord[K] } & {
  meta: Map<string, string>;
};

/** Reads the whole output of the script, which came at `now`. Undefined when not even its first lines are there. */
export function parseRecords(output: string, now: Instant): NodeRecords | undefined {
  const found = new Map<string, MutableRecord>();
  const head = { root: '', bootId: '', uptimeSeconds: 0 };
  for (const line of output.split('\n')) {
    if (!readHead(line, head)) readLine(line, found);
  }
  if (!head.root.startsWith('/') || head.bootId === '') return undefined;
  const { root, bootId, uptimeSeconds } = head;
  return { root, bootId, now, bootedAt: now - uptimeSeconds * 1000, attempts: [...found.values()] };
}

function readHead(
  line: string,
  head: { root: string; bootId: string; uptimeSeconds: number },
): boolean {
  const root = /^root (\/.{1,4000})$/.exec(line);
  const boot = /^boot ([0-9a-f-]{36}) (\d{1,12})$/.exec(line);
  if (root !== null) head.root = root[1] ?? '';
  if (boot !== null) {
    head.bootId = boot[1] ?? '';
    head.uptimeSeconds = Number(boot[2]);
  }
  return root !== null || boot !== null;
}

const pathPattern = String.raw`(\d{1,19}/\d{1,7}(?:\.kept)?)`;
const launchedLine = new RegExp(`^launched ${pathPattern}$`);
const waitLine = new RegExp(`^wait ${pathPattern} (\\d{1,12})$`);
const procLine = new RegExp(`^proc ${pathPattern} (\\S{1,4}) (\\d{1,20})$`);
const fileLine = new RegExp(`^${pathPattern}/(meta|pid|exit_code):(.{0,4096})$`);

function readLine(line: string, found: Map<string, MutableRecord>): void {
  const file = fileLine.exec(line);
  if (file !== null) {
    readFileLine(recordAt(found, file[1]), file[2] ?? '', file[3] ?? '');
    return;
  }
  const launched = launchedLine.exec(line);
  if (launched !== null) recordAt(found, launched[1]).isLaunched = true;
  const waits = waitLine.exec(line);
  if (waits !== null) recordAt(found, waits[1]).waitSeconds = Number(waits[2]);
  const proc = procLine.exec(line);
  if (proc === null) return;
  const [, path, state = '', number = ''] = proc;
  recordAt(found, path).seen =
    state === 'gone'
      ? { kind: 'gone', members: Number(number) }
      : { kind: 'there', state, begun: number };
}

function recordAt(found: Map<string, MutableRecord>, path = ''): MutableRecord {
  const known = found.get(path);
  if (known !== undefined) return known;
  const record: MutableRecord = {
    path,
    meta: new Map(),
    isLaunched: false,
    waitSeconds: null,
    process: null,
    seen: null,
    exit: null,
  };
  found.set(path, record);
  return record;
}

function readFileLine(record: MutableRecord, file: string, line: string): void {
  if (file === 'meta') {
    const at = line.indexOf('=');
    if (at > 0) record.meta.set(line.slice(0, at), line.slice(at + 1));
    return;
  }
  if (file === 'pid') {
    record.process = readProcess(line) ?? record.process;
    return;
  }
  const attempt = record.path.replace(/\.kept$/, '');
  const [, exit = '', of = attempt] = /^2 (\S+ \S+ \S+)(?: (\S+))? *$/.exec(line) ?? [];
  // After a power cut, a file that was used before may have the record of the attempt before it.
  if (of === attempt) record.exit = readExit(exit) ?? record.exit;
}

function readProcess(line: string): AttemptRecord['process'] {
  const match = /^\d{1,10} (\d{1,20}) ([0-9a-f-]{36}) (\d{1,20}) *$/.exec(line);
  if (match === null) return null;
  const [, begun = '', bootId = '', ns = ''] = match;
  return { begun, bootId, startedAt: milliseconds(ns) };
}

/** Reads «CODE HUNDREDTHS OOM», as records and events have it. */
export function readExit(text: string): ExitRecord | null {
  const match = /^(\d{1,3}) (\d{1,14}) ([01])$/.exec(text);
  if (match === null) return null;
  const [, code = '', hundredths = '', oom = ''] = match;
  return { code: Number(code), ranMs: Number(hundredths) * 10, oomKilled: oom === '1' };
}

function milliseconds(nanoseconds: string): Instant {
  return Number(BigInt(nanoseconds) / 1_000_000n);
}

/** A launched attempt without a process for this long has lost its start (the node failed just then). */
const startLimitMs = 60_000;

/** Judges one directory. Undefined for one that is not complete yet. */
export function toObserved(record: AttemptRecord, node: NodeRecords): ObservedAttempt | undefined {
  const { meta } = record;
  const task = taskId.safeParse(record.path.split('/')[0]).data ?? null;
  if (meta.size === 0 || task === null) return undefined;
  return {
    core: coreId.safeParse(meta.get('core')).data ?? null,
    taskId: task,
    attempt: Number.parseInt(record.path.split('/')[1] ?? '0', 10),
    runtime: 'process',
    name: `${node.root}/tasks/${record.path}`,
    condition: conditionOf(record, node),
    uses: {
      cores: wholeNumber(meta.get('cores'), 4096) ?? 1,
      memoryBytes: wholeNumber(meta.get('memory'), 2 ** 50) ?? 0,
      gpuUuids: uuids(meta.get('gpus')),
    },
    owner: meta.get('owner')?.slice(0, 64) ?? null,
    imageDigest: null,
  };
}

function conditionOf(record: AttemptRecord, node: NodeRecords): ObservedAttempt['condition'] {
  const { exit, process, seen } = record;
  if (exit !== null) return recorded(exit, process?.startedAt ?? null, node.now);
  if (!record.isLaunched) return { kind: 'created' };
  if (process === null) return withoutProcess(record, node);
  if (process.bootId !== node.bootId) {
    const why = 'Lost with its node, which was restarted while it ran.';
    return vanished(process.startedAt, node.bootedAt, { why, lostWithNode: true });
  }
  const seenAs = liveKind(seen, process.begun);
  if (seenAs !== null) return { kind: seenAs, startedAt: process.startedAt };
  const why = 'It vanished without an exit code: the script around it was killed from outside.';
  return vanished(process.startedAt, node.now, { why });
}

/** Null when what was seen is not this process any more. */
function liveKind(seen: AttemptRecord['seen'], begun: string): 'running' | 'paused' | null {
  // Begun between the look at processes and the look at files.
  if (seen === null) return 'running';
  if (seen.kind === 'gone') return seen.members > 0 ? 'running' : null;
  if (seen.begun !== begun) return null;
  return seen.state === 'T' ? 'paused' : 'running';
}

/** The end that a record tells of. Without the record of the start (a disk lost it), it is as good as now. */
export function recorded(
  exit: ExitRecord,
  startedAt: Instant | null,
  now: Instant,
): Extract<ObservedAttempt['condition'], { readonly kind: 'ended' }> {
  const { code: exitCode, oomKilled, ranMs } = exit;
  const end = { exitCode, signal: signalOfExitCode(exitCode), oomKilled };
  const finishedAt = startedAt === null ? now : startedAt + ranMs;
  return { kind: 'ended', end, startedAt, finishedAt, problem: problemOf(exitCode) };
}

function withoutProcess(record: AttemptRecord, node: NodeRecords): ObservedAttempt['condition'] {
  const since = node.now - (record.waitSeconds ?? 0) * 1000;
  if (node.now - since < startLimitMs && since >= node.bootedAt - 1000) {
    return { kind: 'running', startedAt: since };
  }
  const why = 'Its start was cut short on the node; the work never ran.';
  return vanished(null, node.now, { why });
}

function vanished(
  startedAt: Instant | null,
  finishedAt: Instant,
  { why, ...loss }: { readonly why: string; readonly lostWithNode?: true },
): ObservedAttempt['condition'] {
  const end = { exitCode: null, signal: null, oomKilled: false, ...loss };
  return { kind: 'ended', end, startedAt, finishedAt, problem: why };
}

function problemOf(exitCode: number): string | null {
  if (exitCode === 127) {
    return 'Exit code 127: the command was not found on the node, or itself found no command.';
  }
  if (exitCode === 126) return 'Exit code 126: the command could not be executed.';
  return null;
}

function wholeNumber(text: string | undefined, max: number): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return null;
  return Number(text) <= max ? Number(text) : null;
}

function uuids(text = ''): string[] {
  const parts = text.split(',').filter((part) => /^[\w:.-]{1,128}$/.test(part));
  return parts.slice(0, 64);
}
