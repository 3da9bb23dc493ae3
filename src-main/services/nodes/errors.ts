import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError } from '../../contract/errors.ts';

export type NodeErrorCode = Extract<
  ErrorCode,
  | 'not-found/node'
  | 'conflict/name-taken'
  | 'conflict/already-added'
  | 'conflict/node-in-use'
  | 'conflict/state'
  | 'link/host-key-unknown'
>;

/** A request about nodes that cannot be carried out as it was asked. */
export class NodeError<Code extends NodeErrorCode = NodeErrorCode> extends AppError<Code> {}

export class UnknownNodeError extends NodeError<'not-found/node'> {
  constructor(reference: string) {
    super(
      'not-found/node',
      `There is no node called ${reference}. See the list of nodes for their names.`,
      {
        details: { node: reference },
      },
    );
  }
}

export class NodeNameTakenError extends NodeError<'conflict/name-taken'> {
  constructor(name: string) {
    super('conflict/name-taken', `There is a node called ${name} already. Choose another name.`, {
      retry: 'after-user-action',
      details: { name },
    });
  }
}

/** The same machine under a second address would run its tasks twice over. */
export class AlreadyAddedError extends NodeError<'conflict/already-added'> {
  constructor(name: string, how: 'machine' | 'address') {
    const why =
      how === 'machine'
        ? 'It is the same machine (by its machine ID)'
        : 'The same user at the same address is there';
    super('conflict/already-added', `${why} as the node ${name}, which was added before.`, {
      retry: 'after-user-action',
      details: { node: name },
    });
  }
}

export class NodeInUseError extends NodeError<'conflict/node-in-use'> {
  constructor(name: string, tasks: number) {
    const many = tasks === 1 ? 'A task is' : `${String(tasks)} tasks are`;
    super(
      'conflict/node-in-use',
      `${many} still on ${name}. End them first, drain the node and wait, or force it and leave them there.`,
      {
        retry: 'after-user-action',
        details: { node: name, tasks },
      },
    );
  }
}

/** The node cannot do this in the state it is in. */
export class NodeStateError extends NodeError<'conflict/state'> {
  constructor(message: string, node: string) {
    super('conflict/state', message, { retry: 'after-user-action', details: { node } });
  }
}
