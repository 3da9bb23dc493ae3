import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError } from '../../contract/errors.ts';

export type TransferErrorCode = Extract<ErrorCode, `transfer/${string}` | 'not-found/transfer'>;

/** A transfer that cannot be done, or not as asked. */
export class TransferError<
  Code extends TransferErrorCode = TransferErrorCode,
> extends AppError<Code> {}

export class UnknownTransferError extends TransferError<'not-found/transfer'> {
  constructor(id: string) {
    super('not-found/transfer', `There is no transfer ${id}. It may have been cleared.`, {
      details: { id },
    });
  }
}

/** Found out before a byte was moved. */
export class NoSpaceError extends TransferError<'transfer/no-space'> {
  constructor(label: string, bytes: { needed: number; free: number }) {
    super(
      'transfer/no-space',
      `There is not enough room on ${label}: ${String(bytes.needed)} bytes are needed, ${String(bytes.free)} are free. Nothing was moved.`,
      { retry: 'after-user-action', details: { place: label, ...bytes } },
    );
  }
}

/** The source changed while it was read, or what arrived is not what was sent. */
export class ItemError extends TransferError<'transfer/item'> {
  constructor(path: string, why: string, cause?: unknown) {
    super('transfer/item', `${path}: ${why}`, {
      ...(cause === undefined ? {} : { cause }),
      retry: 'later',
      details: { path },
    });
  }
}

/** What the other end sent is not what was asked for: it is not to be trusted. */
export class HostileSourceError extends TransferError<'transfer/hostile'> {
  readonly why: string;

  constructor(why: string) {
    super(
      'transfer/hostile',
      `The source is not to be trusted: ${why}. Nothing was put in place.`,
      {
        retry: 'never',
      },
    );
    this.why = why;
  }
}
