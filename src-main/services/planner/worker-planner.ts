import { Worker } from 'node:worker_threads';
import { Emitter } from '../../domain/emitter.ts';
import type { Explanation, QueuedTask } from '../../domain/planner/model.ts';
import { workerUrl } from '../../store/worker-url.ts';
import type { Logger } from '../logger.ts';
import type { News, Pass, PlannerPort } from './planner-port.ts';

export type PlannerQuestion =
  | { id: number; kind: 'pass'; news: News }
  | { id: number; kind: 'explain'; news: News; task: QueuedTask };
export type PlannerAnswer =
  | { id: number; kind: 'pass'; pass: Pass }
  | { id: number; kind: 'explain'; explanation: Explanation };

type Question = PlannerQuestion extends infer Q
  ? Q extends unknown
    ? Omit<Q, 'id'>
    : never
  : never;
interface Waiting {
  readonly resolve: (answer: PlannerAnswer) => void;
  readonly reject: (error: Error) => void;
}

const otherQuestion = 'the planner answered another question';

/** The planner in a worker thread. Should the thread die, the next question starts a new one, which has to be told everything. */
export class WorkerPlanner implements PlannerPort {
  readonly #log: Logger;
  readonly #waiting = new Map<number, Waiting>();
  readonly #reset = new Emitter<void>();
  #worker: Worker | undefined;
  #lastId = 0;
  readonly onDidReset = this.#reset.event;

  constructor(log: Logger) {
    this.#log = log;
  }

  async pass(news: News): Promise<Pass> {
    const answer = await this.#ask({ kind: 'pass', news });
    if (answer.kind !== 'pass') throw new Error(otherQuestion);
    return answer.pass;
  }

  async explain(news: News, task: QueuedTask): Promise<Explanation> {
    const answer = await this.#ask({ kind: 'explain', news, task });
    if (answer.kind !== 'explain') throw new Error(otherQuestion);
    return answer.explanation;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rejectAll(new Error('the core is stopping'));
    await worker?.terminate();
  }

  #ask(question: Question): Promise<PlannerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<PlannerAnswer>();
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, { resolve, reject });
    this.#worker ??= this.#start();
    this.#worker.postMessage({ ...question, id: this.#lastId });
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('planner-worker', import.meta.url), {
      name: 'kohakuriver-planner',
    });
    // It must not keep a core alive that is otherwise done.
    worker.unref();
    worker.on('message', (answer: PlannerAnswer) => {
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
    });
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', (code) =>
      this.#lose(worker, new Error(`the planner thread ended with code ${code}`)),
    );
    return worker;
  }

  #lose(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#log.error({ err: error }, 'the planner thread died; it starts anew');
    this.#rejectAll(error instanceof Error ? error : new Error(String(error)));
    this.#reset.emit();
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
