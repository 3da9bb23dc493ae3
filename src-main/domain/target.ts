/** Where a task should run: `node`, `node:numa`, `node::gpu,gpu` or `node:numa::gpu,gpu`. */
export interface Target {
  readonly node: string;
  readonly numa: number | null;
  /** GPU indices asked for; null when the target names none. */
  readonly gpus: readonly number[] | null;
}
