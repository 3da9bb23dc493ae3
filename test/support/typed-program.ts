// A program on a terminal of its own, as a person runs it: types, and reads what is shown.
import headless from '@xterm/headless';
import { spawn } from 'node-pty';
import { until } from './core-client.ts';

export class TypedProgram implements Disposable {
  readonly exited: Promise<number>;
  readonly #pty: ReturnType<typeof spawn>;
  readonly #screen = new headless.Terminal({
    cols: 100,
    rows: 30,
    scrollback: 1000,
    allowProposedApi: true,
    logLevel: 'off',
  });

  constructor(argv: readonly string[], env: Record<string, string>) {
    const [file = '', ...args] = argv;
    this.#pty = spawn(file, args, { cols: 100, rows: 30, env: { ...process.env, ...env } });
    this.#pty.onData((data) => this.#screen.write(data));
    this.exited = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  text(): string {
    const { active } = this.#screen.buffer;
    return Array.from({ length: active.length }, (_, at) =>
      active.getLine(at)?.translateToString(true),
    )
      .join('\n')
      .trimEnd();
  }

  async sees(pattern: RegExp): Promise<void> {
    try {
      await until(() => pattern.test(this.text()), String(pattern), 30_000);
    } catch (error) {
      throw new Error(`not seen: ${String(pattern)} in\n${this.text()}`, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.#pty.kill('SIGKILL');
    this.#screen.dispose();
  }
}
