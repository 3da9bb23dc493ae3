// Making a VPS from what was asked for: checked, named, with its key, and durable before anybody hears of it.
import { RequestError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import { taskSubmission, type TaskSubmission, type Vessel } from '../../contract/task.ts';
import type { SshRequest, VpsPort, VpsSubmission } from '../../contract/vps.ts';
import type { Clock } from '../../domain/clock.ts';
import { newTask } from '../../domain/new-task.ts';
import type { SnowflakeFactory } from '../../domain/snowflake.ts';
import { validateSubmission } from '../../domain/submission.ts';
import { vpsWork } from '../../domain/vps/boot.ts';
import type { VpsSsh } from '../../domain/vps/vps-record.ts';
import type { Fleet } from '../fleet.ts';
import type { SettingsService } from '../settings.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import type { TaskSecrets } from '../tasks/task-secrets.ts';
import type { Vps, VpsBook } from './vps-book.ts';

/** Keys of people, as link/ssh makes, reads and writes them. */
export interface UserKeys {
  make(comment: string): { readonly privateKey: string; readonly publicKey: string };
  read(text: string): { readonly line: string; readonly fingerprint: string } | undefined;
  /** 0600, never over another file. Throws FileError. */
  write(file: string, privateKey: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Where a key goes that nobody named a place for. */
  defaultFile(id: TaskId): string;
  /** Public keys of the user of this computer. */
  list(): Promise<{ file: string; publicKey: string; fingerprint: string }[]>;
}

export interface VpsCreationParts {
  readonly vpses: VpsBook;
  readonly book: TaskBook;
  readonly fleet: Fleet;
  readonly settings: SettingsService;
  readonly secrets: TaskSecrets;
  readonly ids: SnowflakeFactory;
  readonly clock: Clock;
  readonly keys: UserKeys;
}

export interface CreatedVps {
  readonly id: TaskId;
  /** Once, here; null unless a key was made. */
  readonly privateKey: string | null;
  readonly keyFile: string | null;
  readonly warnings: readonly string[];
}

export class VpsCreation {
  readonly #parts: VpsCreationParts;

  constructor(parts: VpsCreationParts) {
    this.#parts = parts;
  }

  /**
   * Accepts a VPS. Throws SubmissionError and TargetSyntaxError like a task's submission,
   * `conflict/name-taken`, `vps/key-invalid`, or FileError where a key cannot be written.
   * @param id where something was named after it already
   */
  async create(
    asked: VpsSubmission,
    who: string,
    id: TaskId = this.#parts.ids.taskId(),
  ): Promise<CreatedVps> {
    const { book, ids, clock, secrets, keys } = this.#parts;
    const vessel = this.#vesselOf(asked);
    const submission = asTask(asked, vessel);
    const checked = this.#check(asked, { ...submission, vessel });
    const name = asked.name ?? `vps-${id.slice(-6)}`;
    const warnings = [...checked.warnings, ...warningsOf(asked)];
    const task = newTask({
      id,
      type: 'vps',
      batchId: ids.batchId(),
      submission: { ...submission, name },
      target: checked.targets[0] ?? null,
      vessel,
      owner: asked.owner ?? who,
      now: clock.now(),
      warnings,
    });
    const { ssh, privateKey } = await this.#sshOf(asked.ssh, { id, name });
    try {
      // Time has passed since it was looked at: somebody may have been faster.
      this.checkName(name);
      book.add([task], who, () => {
        secrets.keep(task.batchId, asked.secretEnv);
        this.#parts.vpses.put({
          id,
          ssh,
          ports: asked.ports,
          snapshots: asked.snapshots,
          dueSnapshot: null,
          snapshotProblem: null,
        });
      });
      await book.flushed();
    } catch (error) {
      if (ssh.identityFile !== null) await keys.remove(ssh.identityFile);
      throw error;
    }
    return { id, privateKey, keyFile: ssh.identityFile, warnings };
  }

  /** Throws what `create` would, as far as that can be known before. */
  check(asked: VpsSubmission): void {
    const vessel = this.#vesselOf(asked);
    this.#check(asked, { ...asTask(asked, vessel), vessel });
    if (asked.ssh.mode === 'upload') this.#readKey(asked.ssh.publicKey);
  }

  /** A new VPS with the wishes of another, made from an image of it. Ports of the node stay with the first. */
  async clone(
    { task, record }: Vps,
    { name, image, node, who }: { name: string; image: string; node: string; who: string },
  ): Promise<CreatedVps> {
    const { spec } = task;
    const { mode, publicKey } = record.ssh;
    const ssh: SshRequest =
      publicKey === null
        ? { mode: mode === 'none' ? 'none' : 'disabled' }
        : { mode: 'upload', publicKey };
    return this.create(
      {
        name,
        target: node,
        cores: spec.cores,
        memoryBytes: spec.memoryBytes,
        gpus: spec.gpus,
        vessel: { kind: 'image', reference: image },
        env: spec.env,
        secretEnv: this.#parts.secrets.values(task),
        mounts: spec.mounts,
        privileged: spec.privileged,
        labels: spec.labels,
        priority: task.priority,
        onNodeLabels: {},
        avoidNodes: [],
        owner: null,
        ports: record.ports.map((port) => ({ ...port, host: null })),
        ssh,
        snapshots: record.snapshots,
      },
      who,
    );
  }

  /** Throws `conflict/name-taken`. */
  checkName(name: string, except?: TaskId): void {
    const taken = this.#parts.vpses
      .all()
      .some(({ task }) => task.spec.name === name && task.id !== except);
    if (!taken) return;
    throw new RequestError(
      'conflict/name-taken',
      `There is a VPS called ${name} already. Choose another name.`,
      {
        retry: 'after-user-action',
        details: { name },
      },
    );
  }

  #check(asked: VpsSubmission, submission: Parameters<typeof validateSubmission>[0]) {
    const { fleet, settings } = this.#parts;
    if (asked.name !== null) this.checkName(asked.name);
    checkPorts(asked.ports);
    return validateSubmission(submission, fleet.plannerNodes(), {
      allowPrivileged: settings.get('tasks.allowPrivileged'),
      useForeignGpus: settings.get('tasks.useForeignGpus'),
    });
  }

  #vesselOf({ vessel }: VpsSubmission): Vessel {
    const image = this.#parts.settings.get('tasks.defaultImage');
    if (vessel === null && image !== null && image !== '')
      return { kind: 'image', reference: image };
    if (vessel !== null && vessel.kind !== 'process') return vessel;
    throw new RequestError(
      'input/invalid',
      'A VPS needs something to be made from: name an image, an environment or a snapshot.',
      { details: { field: 'vessel' } },
    );
  }

  async #sshOf(
    request: SshRequest,
    { id, name }: { id: TaskId; name: string },
  ): Promise<{ ssh: VpsSsh; privateKey: string | null }> {
    const { keys } = this.#parts;
    const plain: VpsSsh = {
      mode: request.mode,
      publicKey: null,
      identityFile: null,
      hostKey: null,
      isReady: false,
      problem: null,
    };
    if (request.mode === 'upload') {
      return { ssh: { ...plain, publicKey: this.#readKey(request.publicKey) }, privateKey: null };
    }
    if (request.mode !== 'generate') return { ssh: plain, privateKey: null };
    const made = keys.make(`kohakuriver-${name}`);
    const identityFile =
      request.keyFile === false ? null : (request.keyFile ?? keys.defaultFile(id));
    if (identityFile !== null) await keys.write(identityFile, made.privateKey);
    return {
      ssh: { ...plain, publicKey: made.publicKey, identityFile },
      privateKey: made.privateKey,
    };
  }

  #readKey(text: string): string {
    const key = this.#parts.keys.read(text);
    if (key !== undefined) return key.line;
    const why = text.includes('PRIVATE KEY')
      ? 'This is a private key. Keep it to yourself, and give the public one: the file that ends in .pub.'
      : 'This is not a public key. One is a single line such as "ssh-ed25519 AAAA… you@computer".';
    throw new RequestError('vps/key-invalid', why, { details: { field: 'ssh.publicKey' } });
  }
}

/** What a VPS shares with any task; everything else of a task is as if nobody had asked for it. */
function asTask(asked: VpsSubmission, vessel: Vessel): TaskSubmission {
  const { cores, memoryBytes, gpus, env, secretEnv, mounts, privileged, name, labels } = asked;
  const { priority, onNodeLabels, avoidNodes, owner } = asked;
  const inside = { work: vpsWork, vessel, env, secretEnv, mounts, privileged, name, labels };
  return taskSubmission.parse({
    ...inside,
    targets: asked.target === null ? [] : [asked.target],
    cores,
    memoryBytes,
    gpus,
    priority,
    onNodeLabels,
    avoidNodes,
    owner,
  });
}

function checkPorts(ports: readonly VpsPort[]): void {
  const seen = new Set<string>();
  for (const { host, protocol, address } of ports) {
    if (host === null) continue;
    const key = `${address} ${String(host)}/${protocol}`;
    if (seen.has(key)) {
      throw new RequestError(
        'input/invalid',
        `Port ${String(host)}/${protocol} of the node is asked for twice; give each port of the VPS one of its own.`,
        { details: { field: 'ports', value: host } },
      );
    }
    seen.add(key);
  }
}

function warningsOf({ ssh, ports }: VpsSubmission): string[] {
  if (ssh.mode !== 'none') return [];
  const isPublished = ports.some(({ container }) => container === 22);
  return [
    isPublished
      ? 'SSH lets root in without a password, and its port is published: whoever reaches the node is root in this VPS.'
      : 'SSH lets root in without a password: whoever reaches it on the node is root in this VPS.',
  ];
}
