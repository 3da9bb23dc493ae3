// What the parts of a run share: the world, chance, what is remembered, and the record of the run.
import type { TaskId } from '../../src-main/contract/ids.ts';
import type { Task } from '../../src-main/domain/task.ts';
import { hashOf, type Dice } from '../support/random.ts';
import type { World } from '../support/world.ts';
import type { FaultKind, Memory } from './memory.ts';

export class Stage {
  readonly world: World;
  readonly dice: Dice;
  readonly memory: Memory;
  readonly lines: string[] = [];
  /** The same for two runs of one seed. */
  trace = 0;
  readonly #onStep: ((line: string) => void) | undefined;

  constructor(parts: {
    readonly world: World;
    readonly dice: Dice;
    readonly memory: Memory;
    readonly onStep: ((line: string) => void) | undefined;
  }) {
    this.world = parts.world;
    this.dice = parts.dice;
    this.memory = parts.memory;
    this.#onStep = parts.onStep;
  }

  note(line: string): void {
    const at = (this.world.time.monotonic() / 1000).toFixed(3);
    const whole = `${at} ${line}`;
    this.lines.push(whole);
    this.trace = hashOf(`${String(this.trace)}${whole}`);
    this.#onStep?.(whole);
  }

  fault(kind: FaultKind, where = ''): void {
    this.memory.faults[kind] += 1;
    this.note(`  fault: ${kind} ${where}`.trimEnd());
  }

  /** A task that has not ended and that a person could mean. */
  someTask(isMeant: (task: Task) => boolean = () => true): TaskId | undefined {
    return this.dice.oneOf([...this.world.core.book.all()].filter(isMeant))?.id;
  }

  /** A request of a person: it may be refused, and never answered when the core goes down. */
  async ask<T>(
    request: () => Promise<T>,
    onAnswer: (answer: T) => void = () => undefined,
  ): Promise<void> {
    const { core } = this.world;
    request().then(
      (answer) => {
        // What is dead answers nobody, although its promises go on here.
        if (!core.isAlive) return;
        this.note('  answered');
        onAnswer(answer);
      },
      (error: unknown) => {
        if (core.isAlive)
          this.note(`  refused: ${(error as { code?: string }).code ?? String(error)}`);
      },
    );
    // Often the next thing happens before this one is through.
    if (this.dice.is(0.6)) await this.world.settle();
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
