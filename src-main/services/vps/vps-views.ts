// VPSes as clients see them, and how they change.
import type { TaskId } from '../../contract/ids.ts';
import type { SshStatus, VpsHealth, VpsListChange, VpsView } from '../../contract/vps.ts';
import { Emitter } from '../../domain/emitter.ts';
import { containerName } from '../../domain/names.ts';
import type { Task, TaskState } from '../../domain/task.ts';
import { toTaskView } from '../../domain/task-view.ts';
import type { VpsLook } from '../../runtimes/vps-engine.ts';
import type { Fleet } from '../fleet.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import { nameOf } from './vps-access.ts';
import type { Vps, VpsBook } from './vps-book.ts';
import type { VpsWatch } from './vps-watch.ts';

export interface VpsViewsParts {
  readonly vpses: VpsBook;
  readonly watch: VpsWatch;
  readonly book: TaskBook;
  readonly fleet: Fleet;
  /** Reads a public key (link/ssh); undefined when it is none. */
  readonly readKey: (line: string) => { readonly fingerprint: string } | undefined;
}

/** An Engine starts a container again at once; this often, and it is not by chance. */
const crashLoopRestarts = 3;

export class VpsViews implements Disposable {
  readonly #parts: VpsViewsParts;
  readonly #changed = new Emitter<VpsListChange>();
  readonly #busy = new Map<TaskId, string>();
  readonly #settingUp = new Set<TaskId>();
  readonly #listening: Disposable[];

  readonly onDidChange = this.#changed.event;

  constructor(parts: VpsViewsParts) {
    this.#parts = parts;
    this.#listening = [
      parts.vpses.onDidChange((id) => this.#announce(id)),
      parts.watch.onDidChange((id) => this.#announce(id)),
    ];
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
  }

  list(): VpsView[] {
    return this.#parts.vpses.all().map((vps) => this.view(vps));
  }

  /** Says what is being done with the disk of a VPS; null when nothing is any more. */
  setBusy(id: TaskId, words: string | null): void {
    if (words === null) this.#busy.delete(id);
    else this.#busy.set(id, words);
    this.#announce(id);
  }

  setSettingUp(id: TaskId, isSettingUp: boolean): void {
    if (isSettingUp) this.#settingUp.add(id);
    else this.#settingUp.delete(id);
    this.#announce(id);
  }

  view({ task, record }: Vps): VpsView {
    const { fleet, book, watch } = this.#parts;
    const nodeName = (id: Parameters<Fleet['node']>[0]) => fleet.node(id)?.name;
    const seen = toTaskView(task, {
      nodeName,
      phase: book.phase(task.id),
      stdoutBytes: 0,
      stderrBytes: 0,
    });
    const nodeId = seen.nodeId ?? task.disk?.nodeId ?? null;
    const look = watch.look(task.id);
    return {
      id: task.id,
      name: nameOf(task),
      status: seen.status,
      reason: seen.reason,
      phase: seen.phase,
      wish: wishOf(task.state),
      busy: this.#busy.get(task.id) ?? null,
      node: seen.node ?? (nodeId === null ? null : (nodeName(nodeId) ?? null)),
      nodeId,
      target: seen.target,
      gpus: seen.gpus,
      gpuRequest: seen.gpuRequest,
      cores: seen.cores,
      memoryBytes: seen.memoryBytes,
      image: seen.image,
      container: containerName(task),
      env: seen.env,
      secretEnvNames: seen.secretEnvNames,
      mounts: seen.mounts,
      ports: [...record.ports],
      privileged: seen.privileged,
      labels: seen.labels,
      priority: seen.priority,
      ssh: this.ssh({ task, record }),
      snapshots: record.snapshots,
      snapshotProblem: record.snapshotProblem,
      health: look === undefined ? null : healthOf(look),
      hasDisk: task.disk !== null,
      attempt: task.attempt,
      owner: task.owner,
      submittedAt: task.submittedAt,
      startedAt: seen.startedAt,
      stoppedAt: seen.finishedAt,
      warnings: [...task.warnings],
    };
  }

  ssh({ task, record: { ssh } }: Vps): SshStatus {
    const { readKey } = this.#parts;
    const fingerprint = (line: string | null) =>
      line === null ? null : (readKey(line)?.fingerprint ?? null);
    return {
      mode: ssh.mode,
      state: this.#sshState(task, ssh),
      problem: ssh.problem,
      user: 'root',
      keyFingerprint: fingerprint(ssh.publicKey),
      identityFile: ssh.identityFile,
      hostKey: ssh.hostKey,
      hostKeyFingerprint: fingerprint(ssh.hostKey),
    };
  }

  #sshState({ id }: Task, ssh: Vps['record']['ssh']): SshStatus['state'] {
    if (ssh.mode === 'disabled') return 'off';
    if (this.#settingUp.has(id)) return 'setting-up';
    if (ssh.problem !== null) return 'failed';
    return ssh.isReady ? 'ready' : 'waiting';
  }

  #announce(id: TaskId): void {
    const vps = this.#parts.vpses.get(id);
    this.#changed.emit(vps === undefined ? { removed: id } : { upsert: this.view(vps) });
  }
}

function wishOf(state: TaskState): VpsView['wish'] {
  if (!('kill' in state) || state.kill === null) return null;
  if (state.kill.then === undefined) return 'remove';
  return state.kill.then === 'rest' ? 'stop' : 'restart';
}

function healthOf(look: VpsLook): VpsHealth {
  return {
    isCrashLooping: look.isRestarting || look.restarts >= crashLoopRestarts,
    restarts: look.restarts,
    lastExitCode: look.lastExitCode,
    ip: look.ip,
    ports: [...look.ports],
  };
}
