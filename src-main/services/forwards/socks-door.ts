// One client of a SOCKS proxy: greeted, asked where to, connected.
import type { Duplex } from 'node:stream';
import { isAppError } from '../../contract/errors.ts';
import {
  greetingAnswer,
  readGreeting,
  readRequest,
  requestAnswer,
  type SocksReply,
  type SocksRequest,
} from '../../domain/forwards/socks5.ts';

/** A greeting and a request are at most 257 + 262 bytes. */
const longestHandshake = 1024;

/** Undefined: the client was wrong or was refused, and has been told. */
export async function openSocksDoor(
  client: Duplex,
  dial: (request: SocksRequest) => Promise<Duplex>,
): Promise<Duplex | undefined> {
  const reader = new Handshake(client);
  const greeting = await reader.read(readGreeting);
  if (greeting === undefined) {
    refuse(client);
    return;
  }
  client.write(greetingAnswer(greeting.canGoOn));
  if (!greeting.canGoOn) {
    refuse(client);
    return;
  }
  const request = await reader.read(readRequest);
  if (request === undefined) {
    refuse(client, reader.wrong);
    return;
  }
  try {
    const far = await dial(request);
    client.write(requestAnswer('succeeded'));
    reader.giveBack();
    return far;
  } catch (error) {
    refuse(client, replyTo(error));
    return;
  }
}

function refuse(client: Duplex, reply?: SocksReply): undefined {
  if (reply === undefined) client.end();
  else client.end(requestAnswer(reply));
  return undefined;
}

function replyTo(error: unknown): SocksReply {
  if (!isAppError(error) || error.code !== 'link/channel-refused') return 'hostUnreachable';
  return error.details['reason'] === 'administratively prohibited' ? 'notAllowed' : 'refused';
}

type Step<T> = (
  bytes: Uint8Array,
) =>
  | { kind: 'more' }
  | { kind: 'wrong'; reply: SocksReply | undefined }
  | { kind: 'read'; value: T; rest: Uint8Array };

class Handshake {
  readonly #client: Duplex;
  #rest: Uint8Array = new Uint8Array(0);
  wrong: SocksReply | undefined;

  constructor(client: Duplex) {
    this.#client = client;
  }

  async read<T>(step: Step<T>): Promise<T | undefined> {
    for (;;) {
      const found = step(this.#rest);
      if (found.kind === 'read') {
        this.#rest = found.rest;
        return found.value;
      }
      if (found.kind === 'wrong') {
        this.wrong = found.reply;
        return undefined;
      }
      const chunk = await nextChunk(this.#client);
      if (chunk === undefined || this.#rest.length + chunk.length > longestHandshake) {
        return undefined;
      }
      this.#rest = Buffer.concat([this.#rest, chunk]);
    }
  }

  /** What came after the request already belongs to the far side. */
  giveBack(): void {
    if (this.#rest.length > 0) this.#client.unshift(Buffer.from(this.#rest));
  }
}

/** The next bytes; undefined at the end. */
function nextChunk(client: Duplex): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      const chunk = client.read() as Buffer | null;
      if (chunk !== null) settle(chunk);
    };
    const over = () => settle(undefined);
    const settle = (chunk: Buffer | undefined) => {
      client.off('readable', look);
      client.off('end', over);
      client.off('close', over);
      resolve(chunk);
    };
    client.on('readable', look);
    client.on('end', over);
    client.on('close', over);
  });
}
