// What happens to a forward while it is being opened.
import { expect, test } from 'vitest';
import type { ForwardId, ForwardSpec } from '../../../src-main/contract/forwards.ts';
import {
  ForwardsService,
  type ForwardsParts,
} from '../../../src-main/services/forwards/forwards-service.ts';

const spec: ForwardSpec = {
  kind: 'udp',
  target: { kind: 'node', node: 'n1' },
  host: null,
  port: 53,
  bind: '127.0.0.1',
  localPort: null,
};
const nothing: Disposable = { [Symbol.dispose]: () => undefined };

/** A service whose one node says which interpreter it has when it is let. */
function world(interpreter: string) {
  const answered = Promise.withResolvers<{ stdout: Buffer }>();
  const saved = new Set<string>();
  const ticks: (() => void)[] = [];
  const node = { id: 'n1', name: 'n1', state: 'online', reason: null };
  const link = { isOpen: true, runScript: () => answered.promise };
  const service = new ForwardsService({
    terminals: {
      nodes: {
        find: () => node,
        node: () => node,
        link: () => link,
        containers: () => undefined,
        onDidComeOnline: () => nothing,
      },
      clock: { now: () => 1, monotonic: () => 1 },
      log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
    },
    records: {
      all: () => [],
      save: ({ id }: { id: string }) => saved.add(id),
      remove: (id: string) => saved.delete(id),
    },
    flushed: () => Promise.resolve(),
    timers: {
      every: (_ms: number, action: () => void) => {
        ticks.push(action);
        return nothing;
      },
      after: () => nothing,
    },
    relayScripts: { perl: '', python3: '' },
    newId: () => 'f1' as ForwardId,
    onDidGoOffline: () => nothing,
  } as unknown as ForwardsParts);
  const answer = () => answered.resolve({ stdout: Buffer.from(interpreter) });
  const tick = () => ticks.forEach((action) => action());
  return {
    service,
    saved,
    answer,
    tick,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

const soon = () => new Promise(setImmediate);

test('one that is removed while it is opened stays removed', async () => {
  await using all = world('perl\n');
  const adding = all.service.add(spec);
  adding.catch(() => undefined);
  await soon();
  await all.service.remove('f1');
  all.answer();
  await expect(adding).rejects.toMatchObject({ code: 'not-found/forward' });
  expect(all.service.list()).toEqual([]);
  expect([...all.saved]).toEqual([]);
});

test('one that is being opened is not healed beside it, and one that cannot be opened is not kept', async () => {
  await using all = world('');
  const adding = all.service.add(spec);
  adding.catch(() => undefined);
  await soon();
  all.tick();
  await soon();
  all.answer();
  await expect(adding).rejects.toMatchObject({ code: 'forward/no-udp' });
  expect(all.service.list()).toEqual([]);
  expect([...all.saved]).toEqual([]);
});
