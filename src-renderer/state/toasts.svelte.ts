// Short messages in the corner: what was done, and what went wrong outside of any form.
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';

export interface ToastAction {
  label: string;
  href?: string;
  run?: () => void;
}
export interface Toast {
  id: number;
  tone: 'done' | 'failed' | 'info';
  title: string;
  text?: string;
  problem?: Problem;
  action?: ToastAction;
  /** What it tells of: a newer toast about the same takes its place. */
  about?: string;
}

/** Long enough to read two lines; failures stay until they are closed. */
const staysMs = 6000;
const atMost = 4;

export class Toasts {
  #list = $state.raw<readonly Toast[]>([]);
  #lastId = 0;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(toast: Omit<Toast, 'id'>): void {
    const id = this.#add(toast);
    if (toast.tone !== 'failed') setTimeout(() => this.close(id), staysMs);
  }

  /** Tells of something that happened; goes by itself, whatever it is: the bell keeps it. */
  notice(about: string, toast: Omit<Toast, 'id' | 'about'>): void {
    this.#list = this.#list.filter((each) => each.about !== about);
    const id = this.#add({ ...toast, about });
    setTimeout(() => this.close(id), staysMs);
  }

  done(title: string, action?: ToastAction): void {
    this.show({ tone: 'done', title, ...(action === undefined ? {} : { action }) });
  }

  /** Shows an error with its advice; cancelling is none. */
  failed(error: unknown): void {
    if (isAbort(error)) return;
    const problem = toProblem(error);
    this.show({ tone: 'failed', title: problem.title, text: problem.message, problem });
  }

  #add(toast: Omit<Toast, 'id'>): number {
    const id = (this.#lastId += 1);
    this.#list = [...this.#list.slice(-(atMost - 1)), { ...toast, id }];
    return id;
  }

  close(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }
}
