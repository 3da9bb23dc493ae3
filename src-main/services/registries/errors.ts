import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError } from '../../contract/errors.ts';

export class RegistryError extends AppError<
  Extract<ErrorCode, `registry/${string}` | 'not-found/registry'>
> {}

export class UnknownRegistryError extends RegistryError {
  constructor(host: string) {
    super('not-found/registry', `Nothing is kept for ${host}. See: kohakuriver registry list`, {
      details: { registry: host },
    });
  }
}

export class NoNodeToAskError extends RegistryError {
  constructor(why: string) {
    super(
      'registry/no-node',
      `No node can ask the registry now: ${why} Add one, or keep the password unasked (--no-verify).`,
      { retry: 'after-user-action' },
    );
  }
}
