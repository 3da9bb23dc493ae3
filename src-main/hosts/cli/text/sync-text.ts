import type { SyncPreview, SyncStep } from '../../../contract/sync.ts';
import { shownName } from '../../../domain/files/path-text.ts';
import { formatBytes } from '../../../domain/size.ts';

const signs = { add: '+', replace: '~', remove: '-' } as const;

/** `+ src/model.py`; a folder ends in a slash. */
export function stepLine({ action, path, kind }: SyncStep): string {
  return `${signs[action]} ${shownName(path)}${kind === 'directory' ? '/' : ''}`;
}

/** What would be done, in a line, and what could not be, in one each. */
export function syncSummary({ counts, bytes, steps, problems }: SyncPreview): string {
  const all = counts.add + counts.replace + counts.remove;
  const words = [
    `${String(counts.add)} new`,
    `${String(counts.replace)} replaced`,
    `${String(counts.remove)} removed`,
    `${String(counts.same)} the same`,
    `${String(counts.ignored)} ignored`,
    `${formatBytes(bytes)} to move`,
  ];
  const rest = all > steps.length ? [`… and ${String(all - steps.length)} more`] : [];
  const troubles = problems
    .slice(0, 100)
    .map(({ path, outcome, message }) => `${outcome}: ${shownName(path)}: ${shownName(message)}`);
  return [...rest, ...troubles, words.join(', ')].join('\n');
}
