/** Where a runtime writes what it noticed. A pino logger fits. Never a secret, never a task's output. */
export interface RuntimeLog {
  debug(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** Swallows everything; for callers that keep no log. */
export const silentLog: RuntimeLog = { debug: () => undefined, warn: () => undefined };
