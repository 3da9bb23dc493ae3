// SSH inside of VPSes: set up once after the first start, and again after its disk was changed for
// another. The container starts the server itself from then on, also while no core is there.
import { AppError, isAppError } from '../../contract/errors.ts';
import type { TaskId } from '../../contract/ids.ts';
import { sleep, type Timers } from '../../domain/clock.ts';
import { isOutOfReach } from '../attempts/attempt-driver.ts';
import type { VpsEngine } from '../../runtimes/vps-engine.ts';
import type { Fleet } from '../fleet.ts';
import type { Logger } from '../logger.ts';
import { notRunning } from './vps-access.ts';
import type { Vps, VpsBook } from './vps-book.ts';
import type { VpsViews } from './vps-views.ts';

export interface VpsSshParts {
  readonly vpses: VpsBook;
  readonly views: VpsViews;
  readonly fleet: Fleet;
  readonly timers: Timers;
  readonly log: Logger;
  /** resources/node/vps-ssh.sh */
  readonly script: string;
}

/** An installation over a slow line may take its time. */
const setupTimeoutMs = 10 * 60_000;
const mostProblemText = 400;

/** SSH could not be set up inside. */
export class SshSetupError extends AppError<'vps/ssh-setup'> {
  constructor(message: string) {
    super('vps/ssh-setup', message, { retry: 'after-user-action' });
  }
}

export class VpsSshService implements Disposable {
  readonly #parts: VpsSshParts;
  readonly #running = new Map<TaskId, Promise<void>>();
  readonly #abort = new AbortController();
  readonly #listening: Disposable[];

  constructor(parts: VpsSshParts) {
    this.#parts = parts;
    const { vpses, fleet } = parts;
    this.#listening = [
      vpses.onDidChange((id) => this.#setUpIfDue(id)),
      fleet.onDidComeOnline(() => {
        for (const { task } of vpses.all()) this.#setUpIfDue(task.id);
      }),
    ];
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
    this.#abort.abort(new Error('the core is stopping'));
  }

  /** Tries again now, whatever was in the way before. Throws SshSetupError, or what the link throws. */
  async setUp(vps: Vps): Promise<void> {
    if (vps.task.state.status !== 'RUNNING') throw notRunning(vps);
    const { vpses } = this.#parts;
    vpses.change(vps.task.id, (record) => withSsh(record, { problem: null, isReady: false }));
    await this.#start(vps.task.id);
    const { ssh } = vpses.get(vps.task.id)?.record ?? vps.record;
    if (ssh.problem !== null) throw new SshSetupError(ssh.problem);
  }

  #setUpIfDue(id: TaskId): void {
    const vps = this.#parts.vpses.get(id);
    if (vps === undefined || this.#running.has(id) || this.#abort.signal.aborted) return;
    const { mode, isReady, problem } = vps.record.ssh;
    const isDue = mode !== 'disabled' && !isReady && problem === null;
    if (!isDue || vps.task.state.status !== 'RUNNING') return;
    this.#start(id).catch((error: unknown) => {
      if (this.#abort.signal.aborted || isOutOfReach(error)) return;
      this.#parts.log.error({ err: error, taskId: id }, 'SSH could not be set up in a VPS');
    });
  }

  #start(id: TaskId): Promise<void> {
    const { views } = this.#parts;
    const underWay = this.#running.get(id);
    if (underWay !== undefined) return underWay;
    const work = this.#run(id).finally(() => {
      this.#running.delete(id);
      views.setSettingUp(id, false);
    });
    this.#running.set(id, work);
    views.setSettingUp(id, true);
    return work;
  }

  async #run(id: TaskId): Promise<void> {
    const { vpses, fleet } = this.#parts;
    const vps = vpses.get(id);
    if (vps?.task.state.status !== 'RUNNING') return;
    const engine = fleet.runtime(vps.task.state.place.nodeId, 'docker')?.vps;
    if (engine === undefined) return;
    const outcome = await this.#tryOn(vps, engine);
    if (outcome === undefined) return;
    const { problem, hostKey } = outcome;
    vpses.change(id, (record) =>
      withSsh(record, {
        problem,
        isReady: problem === null,
        hostKey: hostKey ?? record.ssh.hostKey,
      }),
    );
  }

  /** Undefined when it ended meanwhile: its next start tries again. */
  async #tryOn({ task, record }: Vps, engine: VpsEngine): Promise<Outcome | undefined> {
    const { mode, publicKey } = record.ssh;
    const argv = ['/bin/sh', '-c', this.#parts.script, 'vps-ssh', task.id, mode, publicKey ?? ''];
    try {
      const result = await this.#withTimeout((signal) =>
        engine.runInside(task.id, argv, { signal }),
      );
      const hostKey = hostKeyIn(result.output);
      const isDone = result.exitCode === 0 && hostKey !== null;
      return { hostKey, problem: isDone ? null : problemOf(result) };
    } catch (error) {
      if (!isAppError(error) || isOutOfReach(error)) throw error;
      const now = this.#parts.vpses.get(task.id)?.task;
      const isSame = now?.state.status === 'RUNNING' && now.attempt === task.attempt;
      return isSame ? { hostKey: null, problem: error.message } : undefined;
    }
  }

  async #withTimeout<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const done = new AbortController();
    const timeout = sleep(this.#parts.timers, setupTimeoutMs, done.signal).then(
      () =>
        late.abort(
          new SshSetupError('Setting up SSH took longer than ten minutes; it was given up.'),
        ),
      () => undefined,
    );
    try {
      return await work(AbortSignal.any([late.signal, this.#abort.signal]));
    } finally {
      done.abort();
      await timeout;
    }
  }
}

interface Outcome {
  readonly problem: string | null;
  readonly hostKey: string | null;
}

function withSsh(record: Vps['record'], changes: Partial<Vps['record']['ssh']>): Vps['record'] {
  return { ...record, ssh: { ...record.ssh, ...changes } };
}

function hostKeyIn(output: string): string | null {
  const line = /^hostkey ([a-z0-9@.-]{1,64} [A-Za-z0-9+/=]{20,2000})$/m.exec(output);
  return line?.[1] ?? null;
}

/** Exit codes of vps-ssh.sh as sentences; what the tools said comes after them. */
function problemOf({ exitCode, output }: { exitCode: number; output: string }): string {
  const said = lastWords(output);
  const keeps = 'The VPS runs on without SSH; use a terminal of the app.';
  switch (exitCode) {
    case 41:
      return `SSH could not be set up: the image has no SSH server, and no package manager to install one with. ${keeps}`;
    case 42:
      return `SSH could not be set up: installing the server failed, most likely for want of a network. ${keeps} It said: ${said}`;
    case 43:
      return `SSH could not be set up: no host key could be made. ${keeps} It said: ${said}`;
    case 44:
      return `SSH could not be set up: the server does not start. ${keeps} It said: ${said}`;
    case 126:
    case 127:
      return `SSH could not be set up: the image has no shell. ${keeps}`;
    default:
      return `SSH could not be set up (exit code ${String(exitCode)}). ${keeps} It said: ${said}`;
  }
}

function lastWords(output: string): string {
  const lines = output
    .replace(/[^\x20-\x7e\n]/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.slice(-4).join(' / ').slice(-mostProblemText);
}
