// What a run remembers of its core, apart from the core.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { SimulatedWork } from '../support/simulated-machine.ts';

/** What can go wrong on purpose, by the names the summary uses. */
export const faultKinds = [
  'order lost',
  'done, answer lost',
  'silence',
  'order late',
  'answer late',
  'order twice',
  'link dropped',
  'node cut off',
  'node rebooted',
  'work removed by others',
  'work frozen by others',
  'node disk full',
  'log disk full',
  'database refused',
  'clock set',
  'core killed',
  'power cut',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export class Memory {
  /** Told to be accepted. */
  readonly accepted = new Set<TaskId>();
  /** Asked to be forgotten. */
  readonly removed = new Set<TaskId>();
  /** Seen in a final status, on disk. */
  readonly ended = new Map<TaskId, string>();
  readonly killAsked = new Set<TaskId>();
  /** Told that the wish to end them is kept. */
  readonly killAccepted = new Set<TaskId>();
  /** Asked or changed while on hold, when it is not refused what could never run. */
  readonly askedOnHold = new Set<TaskId>();
  /** Taken away behind the core's back. */
  readonly disturbed = new Set<TaskId>();
  /** Attempts that were known to run, on disk, when they were taken away: they never begin again. */
  readonly gone = new Set<string>();
  readonly foreign = new Set<SimulatedWork>();
  /** How often each attempt really began, on whatever machine. */
  readonly starts = new Map<string, number>();
  readonly faults: Record<FaultKind, number>;

  constructor() {
    this.faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Memory['faults'];
  }
}
