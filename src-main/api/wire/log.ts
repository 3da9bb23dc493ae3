/** Where the wire tells what clients did wrong and what went wrong here. A pino logger is one. */
export interface WireLog {
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
