import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeptSessions } from './sessions-file.ts';

const sessionLifeMs = 30 * 24 * 3600 * 1000;
/** Browsers signed in at once; the oldest has to sign in again. */
const mostSessions = 200;
const mostLinks = 50;

export interface TokensOptions {
  /** Absent: a new one. */
  accessToken?: string | undefined;
  /** Browsers that signed in before this server started. */
  kept: KeptSessions;
  /** Called with all sessions when one was added. */
  keep: (sessions: KeptSessions) => void;
  now: () => number;
}

/**
 * Who may use the web interface. The access token is for programs (`Authorization: Bearer`) and can
 * be exchanged once for a browser's session; links carry tokens that are good for that and nothing
 * else. Only digests are kept, and comparing takes the same time whatever is wrong.
 */
export class Tokens {
  /** For programs; lives as long as this server. */
  readonly accessToken: string;
  readonly #access: Buffer;
  readonly #now: () => number;
  #links: Buffer[];
  readonly #keep: (sessions: KeptSessions) => void;
  #sessions: { digest: Buffer; expiresAt: number }[];

  constructor(options: TokensOptions) {
    this.accessToken = options.accessToken ?? newToken();
    this.#keep = options.keep;
    this.#sessions = options.kept.map(({ digest, expiresAt }) => ({
      digest: Buffer.from(digest, 'hex'),
      expiresAt,
    }));
    this.#access = digestOf(this.accessToken);
    this.#links = [this.#access];
    this.#now = options.now;
  }

  /** A token for one link: good for one exchange. */
  newLink(): string {
    const token = newToken();
    this.#links = [...this.#links.slice(-mostLinks), digestOf(token)];
    return token;
  }

  /** Takes a link's token and gives a session for a cookie; undefined if it is wrong or was used. */
  exchange(token: string): string | undefined {
    const digest = digestOf(token);
    const left = this.#links.filter((link) => !timingSafeEqual(link, digest));
    if (left.length === this.#links.length) return undefined;
    this.#links = left;
    const session = newToken();
    this.#sessions = [
      ...this.#sessions.slice(1 - mostSessions),
      { digest: digestOf(session), expiresAt: this.#now() + sessionLifeMs },
    ];
    this.#keep(
      this.#sessions.map(({ digest: known, expiresAt }) => ({
        digest: known.toString('hex'),
        expiresAt,
      })),
    );
    return session;
  }

  isAccessToken(token: string): boolean {
    return timingSafeEqual(this.#access, digestOf(token));
  }

  isSession(session: string): boolean {
    const digest = digestOf(session);
    this.#sessions = this.#sessions.filter(({ expiresAt }) => expiresAt > this.#now());
    return this.#sessions.some((known) => timingSafeEqual(known.digest, digest));
  }
}

export const sessionLifeSeconds = sessionLifeMs / 1000;

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
