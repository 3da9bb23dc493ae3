import type { z } from 'zod';
import type { ErrorShape } from '../../contract/errors.ts';
import { streams as contractStreams, type StreamName } from '../../contract/procedures.ts';
import type { ByteChannel } from '../../contract/wire/byte-channels.ts';
import { maxOpenStreams } from '../../contract/wire/limits.ts';
import { protocolError } from '../../contract/wire/protocol-error.ts';
import { RequestError } from '../../contract/errors.ts';
import type { WireContext } from '../context.ts';
import { invalidInput, shapeOf } from './error-mapping.ts';
import type { WireLog } from './log.ts';

/**
 * Serves one byte stream. What it yields is sent no faster than it is read; it is left (its
 * `finally` runs, the signal is aborted) when the client stops reading or is gone. Bytes must not
 * be changed after they were yielded until the next is asked for.
 */
export type StreamHandler<Input> = (
  input: Input,
  context: WireContext,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

/** As `StreamHandler`, for streams whose direction is `both`: what the client sends comes as well. */
export type DuplexHandler<Input> = (
  input: Input,
  context: WireContext,
  io: { signal: AbortSignal; incoming: AsyncIterable<Uint8Array> },
) => AsyncIterable<Uint8Array>;

type HandlerOf<D> = D extends { input: infer I extends z.ZodType; direction: infer Way }
  ? Way extends 'both'
    ? DuplexHandler<z.output<I>>
    : StreamHandler<z.output<I>>
  : never;

/** A handler for each byte stream of the contract. */
export type StreamHandlers = {
  readonly [N in StreamName]: HandlerOf<(typeof contractStreams)[N]>;
};

interface StreamDefinition {
  input: z.ZodType;
  direction: 'down' | 'both';
}

export interface StreamServerOptions {
  definitions: Readonly<Record<string, StreamDefinition>>;
  handlers: Readonly<Record<string, unknown>>;
  context: WireContext;
  log: WireLog;
  openCount: () => number;
}

/** Answers a client that opens a stream: runs its handler, or says why not. */
export function serveStream(
  channel: ByteChannel,
  request: { name: string; input: unknown },
  options: StreamServerOptions,
): void {
  const { name } = request;
  const asShape = (error: unknown): ErrorShape => shapeOf(error, { name, log: options.log });
  try {
    void channel.pump(startHandler(channel, request, options), asShape);
  } catch (error) {
    channel.fail(asShape(error));
  }
}

function startHandler(
  channel: ByteChannel,
  { name, input }: { name: string; input: unknown },
  { definitions, handlers, context, openCount }: StreamServerOptions,
): AsyncIterable<Uint8Array> {
  if (openCount() > maxOpenStreams) throw tooMany();
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (definition === undefined || typeof handler !== 'function') {
    throw protocolError(
      `This core knows no stream named "${name}"; the app and the core may be of different versions.`,
    );
  }
  const parsed = definition.input.safeParse(input);
  if (!parsed.success) throw invalidInput(parsed.error.issues);
  const { signal, incoming } = channel;
  return definition.direction === 'both'
    ? (handler as DuplexHandler<unknown>)(parsed.data, context, { signal, incoming })
    : (handler as StreamHandler<unknown>)(parsed.data, context, signal);
}

function tooMany(): RequestError {
  return new RequestError(
    'core/protocol',
    `Too many streams are open on one connection (at most ${String(maxOpenStreams)}); close some first.`,
    { retry: 'later' },
  );
}

export const definedStreams: Readonly<Record<string, StreamDefinition>> = contractStreams;
