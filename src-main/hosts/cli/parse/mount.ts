import type { Mount } from '../../../contract/task.ts';
import { UsageError } from '../errors.ts';

/** `SRC:DST`, `SRC:DST:ro` or `SRC:DST:rw`, both absolute paths. Throws UsageError. */
export function parseMount(text: string): Mount {
  const match = /^(\/[^:]*):(\/[^:]*)(?::(ro|rw))?$/.exec(text);
  const [, source, destination, mode] = match ?? [];
  if (source === undefined || destination === undefined) {
    throw new UsageError(
      `"${text}" is not a mount: write SRC:DST or SRC:DST:ro, with absolute paths on the node and in the container.`,
    );
  }
  return { source, destination, readOnly: mode === 'ro' };
}
