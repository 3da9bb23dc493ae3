// Files that go with a task: put on its node before it starts, brought back after it has ended.
import { z } from 'zod';
import { filePath } from './files.ts';

/** A folder of the node. In a container it is shown under the same path, unless a mount shows it already. */
const nodeFolder = z
  .string()
  .max(4096)
  // eslint-disable-next-line no-control-regex -- the one character no path can hold
  .regex(/^(\/[^\u0000]+|~\/[^\u0000]+)$/, 'must be a folder of the node: absolute, or below ~/');

/** What is in a folder of the core's computer goes into one of the node, as it is when the task starts. */
export const taskSync = z.strictObject({ from: filePath, to: nodeFolder });
export type TaskSync = z.infer<typeof taskSync>;

/**
 * What is in a folder of the node comes into one of the core's computer when the task has ended.
 * `{id}` and `{index}` in either stand for the task's ID and its number in its array.
 */
export const taskFetch = z.strictObject({ from: nodeFolder, to: filePath });
export type TaskFetch = z.infer<typeof taskFetch>;

export const mostTaskFolders = 16;
