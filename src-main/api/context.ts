/** Who asks, as every procedure and stream sees it. */
export interface WireContext {
  /** Goes into the history of what was done, e.g. a user name. */
  readonly who: string;
  /** Through which door they came. */
  readonly host: 'electron' | 'server' | 'cli';
  /** May do everything; others come with team mode. */
  readonly isOwner: boolean;
}
