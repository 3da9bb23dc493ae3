import type { TaskFetch, TaskSync } from '../../../contract/task-files.ts';
import { UsageError } from '../errors.ts';

/** `DIR:DST`: a folder here, and one of the node. Throws UsageError. */
export function parseSync(text: string): TaskSync {
  // The last colon: a folder here may have one in its name, or be on a drive.
  const match = /^(.+):((?:\/|~\/)[^:]+)$/s.exec(text);
  const [, from, to] = match ?? [];
  if (from !== undefined && to !== undefined) return { from, to };
  throw new UsageError(
    `"${text}" says not what goes where: write DIR:DST, with DST a folder of the node such as /srv/project.`,
  );
}

/** `SRC:DIR`: a folder of the node, and one here. Throws UsageError. */
export function parseFetch(text: string): TaskFetch {
  const match = /^((?:\/|~\/)[^:]+):(.+)$/s.exec(text);
  const [, from, to] = match ?? [];
  if (from !== undefined && to !== undefined) return { from, to };
  throw new UsageError(
    `"${text}" says not what goes where: write SRC:DIR, with SRC a folder of the node such as /srv/results.`,
  );
}
