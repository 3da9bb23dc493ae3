import type { TransferView } from '../../../contract/transfers.ts';
import { formatDuration } from '../../../domain/duration.ts';
import { shownName } from '../../../domain/files/path-text.ts';
import { formatBytes } from '../../../domain/size.ts';

/** `12 of 40 files, 3.1 GiB of 9.9 GiB`. */
export function progressWords({ progress }: TransferView): string {
  const { filesDone, filesTotal, bytesDone, bytesTotal } = progress;
  return `${String(filesDone)} of ${String(filesTotal)} files, ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
}

/** How it goes, in one line no wider than the terminal. */
export function transferLine(view: TransferView, columns = 100): string {
  const { phase, bytesPerSecond, etaSeconds, current } = view.progress;
  const words = [
    view.status === 'RUNNING' ? phase : view.status.toLowerCase(),
    progressWords(view),
    ...(bytesPerSecond === null ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(etaSeconds === null ? [] : [`${formatDuration(etaSeconds * 1000)} left`]),
    ...(current === null ? [] : [shownName(current)]),
  ];
  return words.join('  ').slice(0, Math.max(20, columns - 1));
}

const proofs = {
  hashes: 'every hash is equal at both ends',
  sizes: 'sizes are equal; hashes were not compared',
  none: 'not proven',
} as const;

/** The last line: what became of it, and how that is known. */
export function proofWords(view: TransferView): string {
  const { filesDone, bytesMoved } = view.progress;
  const { status, failed, skipped, proof } = view;
  const counts = [
    `${String(filesDone)} files`,
    `${formatBytes(bytesMoved)} moved`,
    ...(skipped > 0 ? [`${String(skipped)} skipped`] : []),
    ...(failed > 0 ? [`${String(failed)} failed`] : []),
  ];
  return `${status}: ${counts.join(', ')}; ${proofs[proof]}.`;
}
