import { AppError } from '../../contract/errors.ts';
import type { HostOptions } from '../../contract/node.ts';
import type { Prompts } from './prompts.ts';
import { clean } from './text/clean.ts';

/** As ssh's NumberOfPasswordPrompts. */
const mostQuestions = 3;

/** What is needed to sign in to a host; asks for what turns out to be missing. */
export class SignIn {
  readonly #prompts: Prompts | undefined;
  readonly #mayAskPassword: boolean;
  #host: HostOptions;
  #questions = 0;

  /** Without prompts nothing is asked; a password given beforehand is not asked for again. */
  constructor(prompts: Prompts | undefined, host: HostOptions) {
    this.#prompts = prompts;
    this.#host = host;
    this.#mayAskPassword = host.password === undefined;
  }

  get host(): HostOptions {
    return this.#host;
  }

  /** After a refusal: asks for the password or passphrase that would help. False: nothing can be asked. */
  async retryAfter(error: unknown): Promise<boolean> {
    if (this.#prompts === undefined || !(error instanceof AppError)) return false;
    if (this.#questions === mostQuestions) return false;
    this.#questions += 1;
    if (error.code === 'link/auth' && this.#mayAskPassword && takesPassword(error)) {
      return this.#add('password', `Password for ${hostIn(error)}`);
    }
    if (error.code === 'link/key-passphrase') {
      return this.#add('passphrase', `Passphrase for the key ${fileIn(error)}`);
    }
    return false;
  }

  async #add(field: 'password' | 'passphrase', question: string): Promise<boolean> {
    const answer = await this.#prompts?.secret(question);
    if (answer === undefined) return false;
    this.#host = { ...this.#host, [field]: answer };
    return true;
  }
}

function takesPassword({ details }: Pick<AppError, 'details'>): boolean {
  return /\b(password|keyboard-interactive)\b/.test(String(details['accepts'] ?? ''));
}

function hostIn({ details }: Pick<AppError, 'details'>): string {
  return clean(String(details['host'] ?? 'the host'));
}

function fileIn({ details }: Pick<AppError, 'details'>): string {
  return clean(String(details['file'] ?? details['label'] ?? ''));
}
