// What a transfer may become. One table; everything else is refused with a sentence.
import type { TransferStatus } from '../../contract/transfers.ts';

/** What happens to a transfer: from its runner, or from people. */
export type TransferEvent =
  | 'started'
  | 'asked'
  | 'place-lost'
  | 'finished'
  | 'failed'
  | 'interrupted'
  | 'place-back'
  | 'answer'
  | 'pause'
  | 'resume'
  | 'cancel'
  | 'retry';

const table: Record<TransferStatus, Partial<Record<TransferEvent, TransferStatus>>> = {
  QUEUED: { started: 'RUNNING', pause: 'PAUSED', cancel: 'CANCELLED' },
  RUNNING: {
    asked: 'ASKING',
    'place-lost': 'WAITING',
    finished: 'DONE',
    failed: 'FAILED',
    // The core stopped, or crashed, in the middle.
    interrupted: 'QUEUED',
    pause: 'PAUSED',
    cancel: 'CANCELLED',
  },
  ASKING: { answer: 'QUEUED', pause: 'PAUSED', cancel: 'CANCELLED' },
  WAITING: { 'place-back': 'QUEUED', resume: 'QUEUED', pause: 'PAUSED', cancel: 'CANCELLED' },
  PAUSED: { resume: 'QUEUED', cancel: 'CANCELLED' },
  DONE: {},
  FAILED: { retry: 'QUEUED', cancel: 'CANCELLED' },
  CANCELLED: { retry: 'QUEUED' },
};

/** The status after an event; undefined where the event does not apply. */
export function nextStatus(from: TransferStatus, event: TransferEvent): TransferStatus | undefined {
  return table[from][event];
}

/** Whether nothing more will happen by itself or by waiting. */
export function hasEnded(status: TransferStatus): boolean {
  return status === 'DONE' || status === 'FAILED' || status === 'CANCELLED';
}
