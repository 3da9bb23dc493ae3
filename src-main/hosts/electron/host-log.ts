import type { Logger } from '../../services/logger.ts';

/** A log of the host's own for what has no core to write to: warnings and errors reach `write`. */
export function hostLog(write: (facts: object, message: string) => void): Logger {
  const nothing = (): void => undefined;
  const log: Logger = {
    debug: nothing,
    info: nothing,
    warn: write,
    error: write,
    child: () => log,
  };
  return log;
}
