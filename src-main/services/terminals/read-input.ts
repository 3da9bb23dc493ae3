import { TerminalFrames, type Cells, type TerminalFrame } from '../../contract/terminal-frames.ts';
import { protocolError } from '../../contract/wire/protocol-error.ts';

/** What a viewer's frames ask for. */
export interface InputHandlers {
  /** Resolves when more may be sent. */
  input(bytes: Uint8Array): Promise<void>;
  resize?(size: Cells): void;
  watching?(isWatching: boolean): void;
  eof?(): void;
}

/**
 * Carries out what a viewer sends, in order, until they stop. Never rejects: one who breaks off
 * has left, and the stream's signal says so. Resolves with what was wrong about their frames.
 */
export async function readInput(
  incoming: AsyncIterable<Uint8Array>,
  handlers: InputHandlers,
): Promise<Error | undefined> {
  const frames = new TerminalFrames();
  try {
    for await (const chunk of incoming) {
      for (const frame of frames.push(chunk)) await carryOut(frame, handlers);
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function carryOut(frame: TerminalFrame, handlers: InputHandlers): Promise<void> {
  switch (frame.kind) {
    case 'input':
      await handlers.input(frame.bytes);
      break;
    case 'resize':
      handlers.resize?.(frame);
      break;
    case 'watching':
      handlers.watching?.(frame.isWatching);
      break;
    case 'eof':
      handlers.eof?.();
      break;
    default:
      throw protocolError(`A viewer of a terminal may not send "${frame.kind}".`);
  }
}
