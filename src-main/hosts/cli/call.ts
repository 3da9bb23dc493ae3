// What every command is given, and how its action is run.
import type { Command } from 'commander';
import type { Api } from '../../contract/client.ts';
import { chooseDataDir } from '../data-dir.ts';
import { connectToCore, type CoreChoice, type CoreConnection } from './connect.ts';
import { UsageError } from './errors.ts';
import type { Io } from './io.ts';
import { paintFor, type Paint } from './text/style.ts';
import type { TableLook } from './text/table.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly dataDir?: string;
  readonly url?: string;
  readonly token?: string;
  readonly spawn: boolean;
}

/** One run of one command. */
export class Call<Options extends object = object> {
  readonly io: Io;
  readonly options: Options;
  readonly isJson: boolean;
  /** Aborted when the command is to end: Ctrl-C, SIGTERM, or nobody reads its output any longer. */
  readonly signal: AbortSignal;
  readonly paint: Paint;
  readonly #globals: GlobalOptions;
  #connection: Promise<CoreConnection> | undefined;

  constructor(parts: { io: Io; options: Options; globals: GlobalOptions; signal: AbortSignal }) {
    this.io = parts.io;
    this.options = parts.options;
    this.isJson = parts.globals.json === true;
    this.signal = parts.signal;
    this.paint = paintFor(parts.io.out, parts.io.env);
    this.#globals = parts.globals;
  }

  /** How tables are to look on standard output. */
  get look(): TableLook {
    const { isTerminal, columns } = this.io.out;
    return { isTerminal, columns, paint: this.paint };
  }

  get dataDir(): string {
    const { platform, env, homeDir } = this.io;
    return chooseDataDir(this.#globals.dataDir, { platform, env, home: homeDir });
  }

  /** Whether the core is named by a URL: its files are not those of this computer. */
  get isElsewhere(): boolean {
    return this.#choice(false).kind === 'remote';
  }

  /** The connection of this command; made when first asked for. */
  connect({ maySpawn = true } = {}): Promise<CoreConnection> {
    this.#connection ??= connectToCore(this.#choice(maySpawn));
    return this.#connection;
  }

  async api(): Promise<Api> {
    return (await this.connect()).api;
  }

  /** The answer of the command: one JSON document, or text for people. */
  async answer(json: () => unknown, text: () => string): Promise<void> {
    await this.io.out.write(this.isJson ? `${JSON.stringify(json())}\n` : text());
  }

  /** One object of a stream. */
  async line(json: object): Promise<void> {
    await this.io.out.write(`${JSON.stringify(json)}\n`);
  }

  /** A message beside the answer. */
  async say(text: string): Promise<void> {
    await this.io.err.write(`${text}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection === undefined) return;
    const [outcome] = await Promise.allSettled([this.#connection]);
    if (outcome.status === 'fulfilled') outcome.value.close();
  }

  #choice(maySpawn: boolean): CoreChoice {
    const { env } = this.io;
    // Whoever names a directory on the command line means the core there, whatever the environment says.
    const fromEnv =
      this.#globals.dataDir === undefined ? nonEmpty(env['KOHAKURIVER_URL']) : undefined;
    const url = this.#globals.url ?? fromEnv;
    if (url === undefined) {
      return { kind: 'local', dataDir: this.dataDir, maySpawn: maySpawn && this.#globals.spawn };
    }
    return remoteChoice(url, this.#globals.token ?? nonEmpty(env['KOHAKURIVER_TOKEN']));
  }
}

function remoteChoice(url: string, token: string | undefined): CoreChoice {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`"${url}" is not a URL of a core: write it as http://host:8000.`);
  }
  if (token === undefined) {
    throw new UsageError(
      `A core at a URL wants its token: give it with --token or in KOHAKURIVER_TOKEN.`,
    );
  }
  return { kind: 'remote', url, token };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** What an action may answer: its exit code; nothing means 0. */
export type Outcome = Promise<number | undefined> | Promise<void>;

/** Runs the actions of commands; made once by the program. */
export interface Runner {
  /**
   * Makes `work` the action of a command: it gets the call and the command's arguments. It is left
   * behind when the call's signal is aborted, unless it ends by itself in good order (`isPatient`).
   */
  action<Options extends object>(
    command: Command,
    work: (call: Call<Options>, ...args: never[]) => Outcome,
    options?: { isPatient?: boolean },
  ): Command;
}
