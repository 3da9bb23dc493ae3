import type { z } from 'zod';
import { StoreError } from './errors.ts';

/**
 * Reads a JSON column by its schema.
 * @throws StoreError `store/corrupt` naming the column, never a guess at what it may have said.
 */
export function parseJson<S extends z.ZodType>(
  schema: S,
  text: string,
  column: string,
): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(column, 'is not JSON', error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unreadable(column, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, parsed.error);
}

function unreadable(column: string, problem: string, cause: unknown): StoreError {
  return new StoreError('store/corrupt', `${column} cannot be read (${problem}).`, {
    cause,
    details: { column },
  });
}
