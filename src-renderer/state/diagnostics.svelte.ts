// How the core feels, kept by a feed, and its own log, followed: both only while the page is open.
import type { DiagnosticsReport } from '../../src-main/contract/diagnostics.ts';
import type { CoreClient } from '../lib/client.ts';
import {
  LineCutter,
  parseLogLine,
  type CoreLogLine,
  type LogLevel,
} from '../lib/core-log-lines.ts';
import { isAbort, toProblem, type Problem } from '../lib/problem.ts';

/** Older lines leave the page; the file has them. */
const keptLines = 1000;
const keptReports = 150;

export class DiagnosticsState {
  readonly #client: CoreClient;
  #report = $state.raw<DiagnosticsReport | undefined>(undefined);
  #past = $state.raw<readonly DiagnosticsReport[]>([]);
  #problem = $state.raw<Problem | undefined>(undefined);
  #lines = $state.raw<readonly CoreLogLine[]>([]);
  #logProblem = $state.raw<Problem | undefined>(undefined);
  #abort: AbortController | undefined;
  #lastId = 0;

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get report(): DiagnosticsReport | undefined {
    return this.#report;
  }
  /** Of the last minutes, since the page was opened. */
  get past(): readonly DiagnosticsReport[] {
    return this.#past;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get lines(): readonly CoreLogLine[] {
    return this.#lines;
  }
  get logProblem(): Problem | undefined {
    return this.#logProblem;
  }

  /** Follows how the core feels until disposed. */
  start(): () => void {
    const take = (report: DiagnosticsReport): void => {
      this.#problem = undefined;
      this.#report = report;
      this.#past = [...this.#past.slice(1 - keptReports), report];
    };
    const feed = this.#client.feed<DiagnosticsReport, DiagnosticsReport>(
      (api, signal) => api.diagnostics.watch(undefined, { signal }),
      {
        onSnapshot: take,
        onChange: take,
        onError: (error) => (this.#problem = toProblem(error)),
      },
    );
    return () => {
      feed[Symbol.dispose]();
      this.#abort?.abort();
    };
  }

  /** Reads the end of the log from this level up, and follows it until another level is read. */
  async readLog(level: LogLevel): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#logProblem = undefined;
    this.#lines = [];
    const cutter = new LineCutter();
    try {
      const input = { level, tailLines: 500, follow: true };
      const bytes = this.#client.openStream('diagnostics.readLog', input, {
        signal: abort.signal,
      });
      for await (const chunk of bytes) {
        if (abort.signal.aborted) return;
        this.#add(cutter.take(chunk));
      }
    } catch (error) {
      if (!isAbort(error) && !abort.signal.aborted) this.#logProblem = toProblem(error);
    }
  }

  #add(texts: readonly string[]): void {
    const fresh = texts.slice(-keptLines).map((text) => parseLogLine(text, (this.#lastId += 1)));
    this.#lines = [...this.#lines, ...fresh].slice(-keptLines);
  }
}
