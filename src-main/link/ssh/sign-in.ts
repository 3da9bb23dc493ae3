import type {
  AnyAuthMethod,
  AuthenticationType,
  AuthHandlerMiddleware,
  KeyboardInteractiveAuthMethod,
} from 'ssh2';
import { AuthError, bounded, LinkUnsupportedError, type LinkError } from '../errors.ts';
import { singleKeyAgent, type AgentKey } from './agent.ts';
import type { Identity } from './identities.ts';

export interface Credentials {
  user: string;
  /** In the order in which they are offered. */
  keys: readonly (AgentKey | Identity)[];
  password?: string;
  /** Keys that were found and could not be used, with why; named when nothing else works. */
  skipped: readonly string[];
  /** SSH certificates that were found; where signing in fails, they are the likely reason. */
  certificates: readonly string[];
}

interface Attempt {
  readonly method: AuthenticationType;
  readonly label: string;
  /** Failures this may cost of sshd's MaxAuthTries: an RSA key is tried with two signatures. */
  readonly cost: number;
  readonly auth: AnyAuthMethod;
}

/** sshd hangs up at its sixth failure (MaxAuthTries); password and keyboard-interactive want one each. */
const KEY_BUDGET_BESIDE_PASSWORD = 4;

/**
 * Goes through the ways to sign in, in order: agent, identity keys, password, keyboard-interactive;
 * leaves out what the server does not accept, and knows afterwards what was tried.
 */
export class SignIn {
  readonly #host: string;
  readonly #credentials: Credentials;
  readonly #attempts: Attempt[];
  readonly #tried: string[] = [];
  #accepts: readonly string[] | undefined;
  #current: Attempt | undefined;
  #isExhausted = false;
  #unanswered: string | undefined;

  constructor(host: string, credentials: Credentials) {
    this.#host = host;
    this.#credentials = credentials;
    this.#attempts = attemptsOf(credentials, (text) => (this.#unanswered ??= text));
  }

  /** How it went in: `agent (anna@laptop)`, `key ~/.ssh/id_ed25519`, `password`… */
  get succeededWith(): string {
    return this.#current?.label ?? 'none';
  }

  /** ssh2's authHandler. The first call has no list yet: `none` asks for it, as OpenSSH does. */
  readonly next: AuthHandlerMiddleware = (left: readonly string[] | null, _isPartial, proceed) => {
    // The list is null until the server has sent one, whatever ssh2's types say.
    this.#accepts = left ?? this.#accepts;
    if (this.#current === undefined) {
      this.#current = noneAttempt(this.#credentials.user);
      proceed(this.#current.auth);
      return;
    }
    const attempt = this.#takeNext();
    if (attempt === undefined) {
      this.#isExhausted = true;
      proceed(false as unknown as AuthenticationType);
      return;
    }
    this.#current = attempt;
    this.#tried.push(attempt.label);
    proceed(attempt.auth);
  };

  /** Errors ssh2 reports on its way to the next attempt: an agent that does not sign, a key that fails. */
  isMinor(error: Error & { level?: string }): boolean {
    if (error.level === 'agent') return true;
    return error.level === 'client-authentication' && !this.#isExhausted;
  }

  /** The failure to sign in, if that is what this error (or hanging up) means. */
  failure(error: unknown): LinkError | undefined {
    if (this.#current === undefined) return undefined;
    // The server ends it with a reason code when it has had enough tries; a connection that just
    // drops says nothing about who may come in.
    const isDisconnect = typeof (error as { code?: unknown }).code === 'number';
    if (!this.#isExhausted && !isDisconnect) return undefined;
    const tried = this.#tried.length === 0 ? 'nothing' : this.#tried.join(', ');
    const accepts = bounded(this.#accepts?.join(', ') ?? 'unknown');
    const skipped = this.#credentials.skipped.join('; ');
    const details = {
      host: this.#host,
      tried,
      accepts,
      ...(skipped === '' ? {} : { skipped }),
      ...(this.#unanswered === undefined ? {} : { asked: this.#unanswered }),
    };
    const denied = this.#denied(error, details);
    const [certificate] = this.#credentials.certificates;
    if (certificate === undefined) return denied;
    return new LinkUnsupportedError(
      'link/unsupported',
      `${this.#host} did not let us in without the SSH certificate ${certificate}, and this app cannot use certificates. Add the plain key to authorized_keys there, or give a password.`,
      { cause: denied, retry: 'after-user-action', details: { ...details, certificate } },
    );
  }

  #denied(error: unknown, details: Readonly<Record<string, string>>): AuthError {
    const { tried = 'nothing', accepts = 'nothing', skipped = '' } = details;
    const also = skipped === '' ? '' : ` Not used: ${skipped}.`;
    return new AuthError(
      'link/auth',
      `${this.#host} did not let us in. Tried: ${tried}. It accepts: ${accepts}.${also}`,
      { cause: error, retry: 'after-user-action', details },
    );
  }

  #takeNext(): Attempt | undefined {
    for (;;) {
      const attempt = this.#attempts.shift();
      if (attempt === undefined) return undefined;
      const method = attempt.method === 'agent' ? 'publickey' : attempt.method;
      if (this.#accepts === undefined || this.#accepts.includes(method)) return attempt;
    }
  }
}

function noneAttempt(username: string): Attempt {
  return { method: 'none', label: 'none', cost: 0, auth: { type: 'none', username } };
}

function attemptsOf(credentials: Credentials, onUnanswered: (text: string) => void): Attempt[] {
  const { user: username, password } = credentials;
  const keys = credentials.keys.map((key) =>
    key.kind === 'agent' ? agentAttempt(username, key) : keyAttempt(username, key),
  );
  if (password === undefined) return keys;
  return [
    ...withinBudget(keys),
    {
      method: 'password',
      label: 'password',
      cost: 1,
      auth: { type: 'password', username, password },
    },
    {
      method: 'keyboard-interactive',
      label: 'keyboard-interactive',
      cost: 1,
      auth: {
        type: 'keyboard-interactive',
        username,
        prompt: answerer(password, onUnanswered),
      },
    },
  ];
}

function agentAttempt(username: string, key: AgentKey): Attempt {
  const auth = { type: 'agent', username, agent: singleKeyAgent(key) } as const;
  return { method: 'agent', label: `agent (${key.label})`, cost: costOf(key.type), auth };
}

function keyAttempt(username: string, identity: Identity): Attempt {
  const auth = { type: 'publickey', username, key: identity.key } as const;
  return {
    method: 'publickey',
    label: `key ${identity.label}`,
    cost: costOf(identity.key.type),
    auth,
  };
}

function costOf(keyType: string): number {
  return keyType === 'ssh-rsa' ? 2 : 1;
}

function withinBudget(attempts: readonly Attempt[]): Attempt[] {
  let spent = 0;
  return attempts.filter((attempt) => (spent += attempt.cost) <= KEY_BUDGET_BESIDE_PASSWORD);
}

/**
 * Answers a question for a hidden text with the password, once; anything else (a one-time code)
 * is not ours to answer and is remembered for the error.
 */
function answerer(
  password: string,
  onUnanswered: (text: string) => void,
): KeyboardInteractiveAuthMethod['prompt'] {
  let isGiven = false;
  return (...[, , , prompts, finish]) => {
    finish(
      prompts.map((prompt) => {
        if (!isGiven && prompt.echo !== true) {
          isGiven = true;
          return password;
        }
        onUnanswered(bounded(prompt.prompt, 80));
        return '';
      }),
    );
  };
}
