// What to do about errors of files and transfers.
import type { ErrorCode } from '../../../src-main/contract/error-codes.ts';

export const filesAdvice = {
  'files/unavailable': {
    title: 'These files cannot be reached now',
    todo: 'Wait until the node is online and the container runs, then try again.',
  },
  'files/taken': {
    title: 'There is something of this name already',
    todo: 'Choose another name, or replace what is there.',
  },
  'files/incomplete': {
    title: 'Not all of the file came',
    todo: 'Nothing was put in place. Send it again.',
  },
  'not-found/transfer': {
    title: 'There is no such transfer',
    todo: 'It may have been taken off the list.',
  },
  'transfer/refused': {
    title: 'This cannot be moved as asked',
    todo: 'Change what is named, and start it again.',
  },
  'transfer/no-space': {
    title: 'There is not enough room',
    todo: 'Free some space at the other end, or choose another disk. Then retry.',
  },
  'transfer/disk-full': {
    title: 'The disk at the other end is full',
    todo: 'Free some space there and retry: it goes on from where it stopped.',
  },
  'transfer/too-many': {
    title: 'These are more files than one transfer takes',
    todo: 'Move the folders below one by one.',
  },
  'transfer/hostile': {
    title: 'The source sent what it should not',
    todo: 'Nothing was put in place. Find out what runs on that machine.',
  },
  'transfer/item': {
    title: 'A file could not be moved',
    todo: 'Look at the list of files that failed, then retry.',
  },
  'transfer/failed': {
    title: 'The transfer failed',
    todo: 'The message says why. Retry goes on from what is there.',
  },
  'workspace/pattern': {
    title: 'The pattern is not understood',
    todo: 'Correct it, or look for it as plain text.',
  },
  'workspace/missing-tool': {
    title: 'What is needed for it is not there',
    todo: 'Install grep or a shell on that machine or in that container.',
  },
  'workspace/broken-off': {
    title: 'It broke off',
    todo: 'The message says why. Try again.',
  },
} as const satisfies Partial<Record<ErrorCode, { title: string; todo: string }>>;
