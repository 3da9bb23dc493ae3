// A small contract with one of each kind, and a core that implements it, for the wire's own tests.
import { eventIterator, oc } from '@orpc/contract';
import { implement } from '@orpc/server';
import { z } from 'zod';
import { feedFrom } from '../../src-main/api/feed.ts';
import type { WireContext } from '../../src-main/api/context.ts';
import { proceduresOf } from '../../src-main/api/wire/procedures.ts';
import { serve } from '../../src-main/api/wire/serve-wire.ts';
import { RequestError } from '../../src-main/contract/errors.ts';
import { feedOf } from '../../src-main/contract/procedures.ts';
import type { WirePort } from '../../src-main/contract/wire/port.ts';
import { Emitter } from '../../src-main/domain/emitter.ts';

export const sampleContract = {
  math: {
    double: oc
      .input(z.strictObject({ value: z.number().max(1000), secret: z.string().optional() }))
      .output(z.number()),
    wrong: oc.output(z.number()),
  },
  refuse: oc.output(z.null()),
  crash: oc.output(z.null()),
  hang: oc.output(z.null()),
  large: oc.input(z.object({ length: z.number() })).output(z.string()),
  whoAmI: oc.output(z.string()),
  counter: { watch: oc.output(feedOf(z.number(), z.number())) },
  numbers: oc.input(z.object({ upTo: z.number() })).output(feedOf(z.number(), z.number())),
  broken: oc.output(feedOf(z.number(), z.number())),
  gap: oc.output(feedOf(z.number(), z.number())),
  plain: oc.output(eventIterator(z.string())),
};

export const sampleStreams = {
  fast: {
    input: z.strictObject({ bytes: z.number().int(), fill: z.number().int().default(7) }),
    direction: 'down',
  },
  failing: { input: z.undefined(), direction: 'down' },
  silent: { input: z.undefined(), direction: 'down' },
  echo: { input: z.undefined(), direction: 'both' },
} as const;

/** What the sample core can be seen to have done. */
export class SampleCore {
  readonly onDidCount = new Emitter<number>();
  readonly logged: { facts: object; message: string }[] = [];
  /** Bytes taken from the sources of `fast`. */
  produced = 0;
  /** Names of sources and calls that were closed or aborted. */
  readonly closed: string[] = [];
  sourcesOpen = 0;
  count = 0;

  serve(port: WirePort): Disposable {
    const context: WireContext = { who: 'tester', host: 'server', isOwner: true };
    const log = {
      warn: (facts: object, message: string) => void this.logged.push({ facts, message }),
      error: (facts: object, message: string) => void this.logged.push({ facts, message }),
    };
    return serve(port, {
      procedures: proceduresOf(this.#router(), context),
      streams: { definitions: sampleStreams, handlers: this.#streams(), context, log },
      log,
    });
  }

  #router() {
    const os = implement(sampleContract).$context<WireContext>();
    return os.router({
      math: {
        double: os.math.double.handler(({ input }) => input.value * 2),
        wrong: os.math.wrong.handler(() => 'not a number' as unknown as number),
      },
      refuse: os.refuse.handler(() => {
        throw new RequestError('conflict/name-taken', 'There is a node named alpha already.', {
          retry: 'after-user-action',
          details: { name: 'alpha' },
          cause: new RequestError('not-found/node', 'No such node.'),
        });
      }),
      crash: os.crash.handler(() => {
        throw new Error('the password is hunter2');
      }),
      hang: os.hang.handler(
        ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => {
              this.closed.push('hang');
              reject(signal.reason as Error);
            });
          }),
      ),
      large: os.large.handler(({ input }) => 'x'.repeat(input.length)),
      whoAmI: os.whoAmI.handler(({ context }) => context.who),
      counter: {
        watch: os.counter.watch.handler(() =>
          feedFrom({ snapshot: () => this.count, onDidChange: this.onDidCount.event }),
        ),
      },
      numbers: os.numbers.handler(async function* ({ input }) {
        yield { kind: 'snapshot', value: 0 } as const;
        for (let seq = 1; seq <= input.upTo; seq += 1)
          yield { kind: 'change', seq, value: seq } as const;
      }),
      broken: os.broken.handler(async function* () {
        yield { kind: 'snapshot', value: 1 } as const;
        throw new RequestError('link/lost', 'The link to alpha was lost.', { retry: 'later' });
      }),
      gap: os.gap.handler(async function* () {
        yield { kind: 'snapshot', value: 1 } as const;
        yield { kind: 'change', seq: 2, value: 2 } as const;
      }),
      plain: os.plain.handler(async function* () {
        yield 'one';
        yield 'two';
      }),
    });
  }

  #streams() {
    return {
      fast: (input: { bytes: number; fill: number }) => this.#fast(input),
      failing: async function* () {
        yield new Uint8Array([1, 2, 3]);
        throw new RequestError('store/log-corrupt', 'The log is damaged after byte 3.');
      },
      silent: (_input: undefined, _context: WireContext, signal: AbortSignal) =>
        this.#silent(signal),
      echo: async function* (
        _input: undefined,
        _context: WireContext,
        io: { incoming: AsyncIterable<Uint8Array> },
      ) {
        for await (const bytes of io.incoming) yield bytes;
      },
    };
  }

  async *#fast({ bytes, fill }: { bytes: number; fill: number }): AsyncGenerator<Uint8Array> {
    this.sourcesOpen += 1;
    const chunk = new Uint8Array(100_000).fill(fill);
    try {
      for (let sent = 0; sent < bytes; sent += chunk.byteLength) {
        const part = chunk.subarray(0, Math.min(chunk.byteLength, bytes - sent));
        this.produced += part.byteLength;
        yield part;
      }
    } finally {
      this.sourcesOpen -= 1;
      this.closed.push('fast');
    }
  }

  async *#silent(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      yield* [];
    } finally {
      this.closed.push('silent');
    }
  }
}
