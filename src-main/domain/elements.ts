// The elements of an array or a sweep.
import type { SweepRequest } from '../contract/task-shape.ts';
import type { TaskSubmission } from '../contract/task.ts';

export interface Element {
  /** What the task sees as `KOHAKURIVER_ARRAY_INDEX`. */
  readonly index: number;
  /** Variables of a sweep; none for a plain array. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The elements a submission asks for, in their order; null when it is one task for each target. */
export function elementsOf({
  array,
  sweep,
}: Pick<TaskSubmission, 'array' | 'sweep'>): readonly Element[] | null {
  if (sweep !== null) return combinations(sweep.parameters);
  return array === null ? null : array.indices.map((index) => ({ index, parameters: {} }));
}

/** Every combination; the last parameter changes fastest. */
function combinations(parameters: SweepRequest['parameters']): Element[] {
  let rows: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(parameters)) {
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  }
  return rows.map((row, index) => ({ index, parameters: row }));
}
