// How the state of something that is moved looks, and its figures in words.
import ArrowLeftRight from '@lucide/svelte/icons/arrow-left-right';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CirclePause from '@lucide/svelte/icons/circle-pause';
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark';
import CircleStop from '@lucide/svelte/icons/circle-stop';
import CircleX from '@lucide/svelte/icons/circle-x';
import Hourglass from '@lucide/svelte/icons/hourglass';
import Unplug from '@lucide/svelte/icons/unplug';
import type { TransferStatus, TransferView } from '../../../src-main/contract/transfers.ts';
import type { Upload } from '../../state/upload.svelte.ts';
import { formatBytes, formatCount, formatDuration, formatPart, formatRate } from '../format.ts';
import type { Look } from '../status.ts';
import { transfers as words } from '../texts/files.ts';

const looks = {
  QUEUED: { word: words.words.QUEUED, tone: 'waiting', icon: Hourglass },
  RUNNING: { word: words.words.RUNNING, tone: 'running', icon: ArrowLeftRight },
  ASKING: { word: words.words.ASKING, tone: 'lost', icon: CircleQuestionMark },
  WAITING: { word: words.words.WAITING, tone: 'lost', icon: Unplug },
  PAUSED: { word: words.words.PAUSED, tone: 'paused', icon: CirclePause },
  DONE: { word: words.words.DONE, tone: 'done', icon: CircleCheck },
  FAILED: { word: words.words.FAILED, tone: 'failed', icon: CircleX },
  CANCELLED: { word: words.words.CANCELLED, tone: 'foreign', icon: CircleStop },
} as const satisfies Record<TransferStatus, Look>;

/** While it runs, its look says what it does. */
export function transferLook(
  status: TransferStatus,
  phase?: TransferView['progress']['phase'],
): Look {
  const look: Look = looks[status];
  return status === 'RUNNING' && phase !== undefined
    ? { ...look, word: words.phases[phase] }
    : look;
}

/** How much there is and how much of it is done. */
export function amountOf(done: {
  filesDone: number;
  filesTotal: number;
  bytesDone: number;
  bytesTotal: number;
}): string {
  const { filesDone, filesTotal, bytesDone, bytesTotal } = done;
  if (filesTotal === 0) return '';
  const isAll = bytesDone >= bytesTotal;
  return [
    words.filesDone(formatCount(filesDone), formatCount(filesTotal)),
    isAll ? formatBytes(bytesTotal) : formatPart(bytesDone, bytesTotal),
  ].join(' · ');
}

/** How fast it goes and how long it takes; or how the end was proven. */
export function paceOf(view: TransferView): string {
  const { status, progress, proof, skipped, failed } = view;
  if (status === 'RUNNING') return speedLine(progress.bytesPerSecond, progress.etaSeconds);
  const moved = progress.bytesTotal - progress.bytesMoved;
  const hasKept = status === 'DONE' && progress.bytesMoved > 0 && moved > 0;
  return [
    ...(failed > 0 ? [words.failed(failed)] : []),
    ...(skipped > 0 ? [words.skipped(skipped)] : []),
    ...(hasKept ? [words.kept(formatBytes(moved))] : []),
    ...(status === 'DONE' && proof !== 'none' ? [words.proofs[proof]] : []),
  ].join(' · ');
}

export function uploadPace(upload: Upload): string {
  const { status, bytesPerSecond, bytesTotal, bytesDone, problems, skipped } = upload;
  if (status === 'WAITING') return words.lost;
  if (status === 'RUNNING') {
    const isKnown = bytesPerSecond !== null && bytesPerSecond > 0;
    return speedLine(bytesPerSecond, isKnown ? (bytesTotal - bytesDone) / bytesPerSecond : null);
  }
  return [
    ...(problems.length > 0 ? [words.failed(problems.length)] : []),
    ...(skipped > 0 ? [words.skipped(skipped)] : []),
  ].join(' · ');
}

function speedLine(bytesPerSecond: number | null, seconds: number | null): string {
  return [
    ...(bytesPerSecond === null ? [] : [formatRate(bytesPerSecond)]),
    ...(seconds === null ? [] : [words.left(formatDuration(Math.max(1, seconds) * 1000))]),
  ].join(' · ');
}
