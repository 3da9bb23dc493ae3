// Decides whether a request may come in. Against DNS rebinding the Host header must be an address
// or a name we know; against other sites' pages the Origin must be this page's own.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { FailedAttempts } from './failed-attempts.ts';
import type { Tokens } from './tokens.ts';

export type Refusal = 'wrong-host' | 'wrong-origin' | 'not-signed-in' | 'too-many-failures';
export type Verdict = 'allowed' | Refusal;

export interface GateOptions {
  tokens: Tokens;
  failures: FailedAttempts;
  /** Names under which this computer is known, lower case, beside `localhost` and addresses. */
  hostNames: ReadonlySet<string>;
}

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Any request at all: only under a name that cannot be somebody else's. */
  isKnownHost(request: IncomingMessage): boolean {
    const name = hostName(request.headers.host);
    if (name === undefined) return false;
    return isIP(name) !== 0 || name === 'localhost' || this.#options.hostNames.has(name);
  }

  /** The page and its files. */
  judgePage(request: IncomingMessage): Verdict {
    if (!this.isKnownHost(request)) return 'wrong-host';
    return this.#judgeCredentials(request, { takesCookie: true });
  }

  /** The wire. A browser always says where its page comes from; what does not is a program, with a token. */
  judgeWire(request: IncomingMessage): Verdict {
    if (!this.isKnownHost(request)) return 'wrong-host';
    const { origin } = request.headers;
    if (origin !== undefined && !isOwnOrigin(origin, request.headers.host)) return 'wrong-origin';
    return this.#judgeCredentials(request, { takesCookie: origin !== undefined });
  }

  /** Exchanges a link's token for a session. */
  exchange(request: IncomingMessage, token: string): { session: string } | Refusal {
    if (!this.isKnownHost(request)) return 'wrong-host';
    const address = addressOf(request);
    const { failures, tokens } = this.#options;
    if (failures.isBlocked(address)) return 'too-many-failures';
    const session = tokens.exchange(token);
    if (session !== undefined) return { session };
    failures.add(address);
    return 'not-signed-in';
  }

  #judgeCredentials(request: IncomingMessage, { takesCookie }: { takesCookie: boolean }): Verdict {
    const { failures, tokens } = this.#options;
    // A session goes on whatever others try from the same address; it is too long to be guessed.
    const cookie = takesCookie ? cookieOf(request, cookieNameOf(request)) : undefined;
    if (cookie !== undefined && tokens.isSession(cookie)) return 'allowed';
    const bearer = bearerOf(request);
    if (bearer === undefined) return 'not-signed-in';
    const address = addressOf(request);
    if (failures.isBlocked(address)) return 'too-many-failures';
    if (tokens.isAccessToken(bearer)) return 'allowed';
    failures.add(address);
    return 'not-signed-in';
  }
}

/**
 * Cookies do not keep ports apart, so the name does: two servers on one computer must not sign each
 * other's browsers out.
 */
export function cookieNameOf(request: IncomingMessage): string {
  return `kohakuriver_${String(request.socket.localPort)}`;
}

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}

/** The name in a Host header, without port and brackets, lower case. */
function hostName(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(header);
  const plain = /^([^:[\]/@\s]+)(?::\d+)?$/.exec(header);
  return (bracketed ?? plain)?.[1]?.toLowerCase();
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && originHost === host.toLowerCase();
}

function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';', 100)) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value !== undefined && value !== '') return value;
  }
  return undefined;
}
