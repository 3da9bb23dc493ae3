import { AppError } from '../../contract/errors.ts';

/** A host that cannot serve: an address that is taken, a socket that cannot be made, no renderer. */
export class ServerError extends AppError {}
