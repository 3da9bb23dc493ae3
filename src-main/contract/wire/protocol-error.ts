import { RequestError } from '../errors.ts';

/** The far side sent what this protocol does not allow, or wants what this side does not know. */
export function protocolError(message: string): RequestError {
  return new RequestError('core/protocol', message);
}

/** The connection is gone, or could not be made. Whether a call under way was carried out is unknown. */
export function unavailable(message: string, cause?: unknown): RequestError {
  return new RequestError('core/unavailable', message, {
    retry: 'later',
    ...(cause === undefined ? {} : { cause }),
  });
}
