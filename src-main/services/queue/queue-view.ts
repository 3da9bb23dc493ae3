// The queue as people look at it: shares between owners, what is reserved, and what is kept for whom.
import type { FeedItem } from '../../contract/feed.ts';
import type { KeptRoom, OwnerShare, QueueOutlook, Shares } from '../../contract/queue.ts';
import type { Timers } from '../../domain/clock.ts';
import { scoreOf } from '../../domain/planner/accounts.ts';
import type { Task } from '../../domain/task.ts';
import type { Dispatcher } from '../planner/dispatcher.ts';
import type { KeptPlace } from '../planner/planner-port.ts';
import type { SettingsService } from '../settings.ts';
import { Pulse } from '../tasks/pulse.ts';
import type { TaskBook } from '../tasks/task-book.ts';
import type { OwnerUsage } from './owner-usage.ts';
import type { Reservations } from './reservations.ts';

export interface QueueViewParts {
  readonly book: TaskBook;
  readonly dispatcher: Dispatcher;
  readonly usage: OwnerUsage;
  readonly reservations: Reservations;
  readonly timers: Timers;
  readonly settings: SettingsService;
}

/** Shares change with every task: they are counted anew at most this often. */
const recountMs = 2000;

export class QueueView {
  readonly #parts: QueueViewParts;

  constructor(parts: QueueViewParts) {
    this.#parts = parts;
  }

  shares(): Shares {
    const { book, usage, settings } = this.#parts;
    const gpuWeight = settings.get('queue.gpuWeight');
    const counts = countByOwner(book.all());
    const used = usage.used();
    const owners = [...new Set([...counts.keys(), ...used.keys()])].map((owner): OwnerShare => {
      const { gpuSeconds, coreSeconds } = used.get(owner) ?? { gpuSeconds: 0, coreSeconds: 0 };
      const held = counts.get(owner) ?? noCount;
      const score = scoreOf(gpuSeconds * gpuWeight + coreSeconds, held, gpuWeight);
      return { owner, gpuSeconds, coreSeconds, score, ...held };
    });
    owners.sort((a, b) => a.score - b.score || (a.owner < b.owner ? -1 : 1));
    return {
      now: book.now(),
      isOn: settings.get('queue.fairShare'),
      halfLifeHours: settings.get('queue.halfLifeHours'),
      gpuWeight,
      owners,
    };
  }

  outlook(): QueueOutlook {
    const { dispatcher, reservations } = this.#parts;
    return {
      shares: this.shares(),
      reservations: reservations.list(),
      kept: dispatcher.kept.flatMap((kept) => this.#named(kept)),
    };
  }

  #named({ gpus, ...kept }: KeptPlace): KeptRoom[] {
    const task = this.#parts.book.active(kept.taskId);
    if (task === undefined) return [];
    return [{ ...kept, gpus: [...gpus], name: task.spec.name, owner: task.owner }];
  }

  /** Ends with the signal. */
  async *watch(signal: AbortSignal): AsyncGenerator<FeedItem<QueueOutlook, QueueOutlook>> {
    const { book, dispatcher, reservations, settings, timers } = this.#parts;
    using pulse = new Pulse(timers, recountMs);
    const announce = () => pulse.announce();
    using _tasks = book.onDidChange(({ kind }) => {
      if (kind !== 'progress') announce();
    });
    using _kept = dispatcher.onDidChangeKept(announce);
    using _reserved = reservations.onDidChange(announce);
    using _rules = settings.onDidChange(({ key }) => {
      if (key.startsWith('queue.')) announce();
    });
    yield { kind: 'snapshot', value: this.outlook() };
    let seq = 0;
    while (await pulse.next(signal)) {
      seq += 1;
      yield { kind: 'change', seq, value: this.outlook() };
    }
  }
}

type Count = Pick<OwnerShare, 'running' | 'waiting' | 'gpus' | 'cores'>;
const noCount: Count = { running: 0, waiting: 0, gpus: 0, cores: 0 };

function countByOwner(tasks: Iterable<Task>): Map<string, Count> {
  const counts = new Map<string, Count>();
  for (const { owner, state } of tasks) {
    const count = counts.get(owner) ?? { ...noCount };
    counts.set(owner, count);
    if (state.status === 'PENDING') count.waiting += 1;
    else if ('kill' in state) {
      count.running += 1;
      count.gpus += state.place.gpus.length;
      count.cores += state.place.cores;
    }
  }
  return counts;
}
