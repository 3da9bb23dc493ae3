// The desktop app as it is built, run with the stand-in in Electron's place; the test looks at its
// page through a connection of its own to the same Chromium.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import type { Orders } from './electron-stand-in/run.ts';

const root = join(import.meta.dirname, '../..');
const patienceMs = 45_000;

type Facts = ReturnType<Orders['facts']>;

export class ElectronApp implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  readonly exited: Promise<number | null>;
  #lastId = 0;

  constructor(
    dataDir: string,
    options: { entry?: string; args?: string[]; env?: Record<string, string> } = {},
  ) {
    this.#child = fork(
      join(import.meta.dirname, 'electron-stand-in/run.ts'),
      [options.entry ?? join(root, 'dist/main/electron-main.js'), ...(options.args ?? [])],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        execArgv: [],
        env: {
          ...process.env,
          KOHAKURIVER_DATA_DIR: dataDir,
          HOME: dataDir,
          XDG_CONFIG_HOME: '',
          ...options.env,
        },
      },
    );
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => this.#said.push(chunk.toString()));
    this.exited = once(this.#child, 'exit').then(([code]) => code as number | null);
  }

  get said(): string {
    return this.#said.join('');
  }

  /** Has the stand-in do something, such as a click on a menu entry. */
  do<N extends keyof Orders>(
    name: N,
    ...args: Parameters<Orders[N]>
  ): Promise<Awaited<ReturnType<Orders[N]>>> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      const onMessage = (answer: { id: number; result?: never; error?: string }): void => {
        if (answer.id !== id) return;
        this.#child.off('message', onMessage);
        if (answer.error === undefined) resolve(answer.result as never);
        else reject(new Error(answer.error));
      };
      this.#child.on('message', onMessage);
      this.#child.send({ id, name, args });
    });
  }

  facts(): Promise<Facts> {
    return this.do('facts');
  }

  /** Waits until the facts are as they should be. */
  async until(isSo: (facts: Facts) => boolean, what: string): Promise<Facts> {
    const end = Date.now() + patienceMs;
    for (;;) {
      const facts = await this.facts();
      if (isSo(facts)) return facts;
      if (Date.now() > end)
        throw new Error(`${what} did not come about: ${JSON.stringify(facts)}\n${this.said}`);
      await sleep(50);
    }
  }

  /** The page of the app's window, as a person sees it. */
  async openPage(): Promise<OpenPage> {
    const { debugUrl } = await this.until(({ debugUrl: url }) => url !== '', 'a window');
    const browser = await chromium.connectOverCDP(debugUrl);
    const context = browser.contexts()[0]!;
    const isOurs = (page: Page): boolean => page.url().startsWith('http://kohakuriver.localhost');
    const end = Date.now() + patienceMs;
    let page = context.pages().find(isOurs);
    while (page === undefined && Date.now() < end) {
      await sleep(50);
      page = context.pages().find(isOurs);
    }
    if (page === undefined) throw new Error(`the app opened no page\n${this.said}`);
    page.setDefaultTimeout(patienceMs);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    return { page, complaints, [Symbol.asyncDispose]: () => browser.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.connected) this.#child.disconnect();
    await this.exited;
  }
}

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[];
}
