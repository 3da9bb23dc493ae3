declare module 'pino-roll' {
  import type { SonicBoom } from 'sonic-boom';

  /** The options of pino-roll 4 that are used here; the package ships no types. */
  export interface RollOptions {
    file: string;
    extension?: string;
    size?: string;
    limit?: { count: number };
    mkdir?: boolean;
    /** Bytes that may wait to be written; lines beyond are dropped. */
    maxLength?: number;
  }
  /** A stream that begins a new numbered file when the current one is full. */
  export default function roll(options: RollOptions): Promise<SonicBoom>;
}
