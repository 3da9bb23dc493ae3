// What happens to a forward while it is being opened.
import { expect, test } from 'vitest';
import { until } from '../../support/core-client.ts';
import type { ForwardId, ForwardSpec } from '../../../src-main/contract/forwards.ts';
import type { ForwardRecord } from '../../../src-main/services/forwards/ports.ts';
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
function world(interpreter: string, records: readonly ForwardRecord[] = []) {
  const answered = Promise.withResolvers<{ stdout: Buffer }>();
  const saved = new Set<string>();
  const ticks: (() => void)[] = [];
  const node = (id: string) => ({ id, name: id, state: 'online', reason: null });
  const link = { isOpen: true, runScript: () => answered.promise };
  const silent = { isOpen: true, runScript: () => new Promise(() => undefined) };
  const service = new ForwardsService({
    terminals: {
      nodes: {
        find: node,
        node,
        link: (id: string) => (id === 'silent' ? silent : link),
        containers: () => undefined,
        onDidComeOnline: () => nothing,
      },
      clock: { now: () => 1, monotonic: () => 1 },
      log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
    },
    records: {
      all: () => records,
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

test('a node that does not answer keeps no forward of another closed', async () => {
  const kept = (id: string, node: string) => ({
    id: id as ForwardId,
    spec: { ...spec, target: { kind: 'node', node } } as const,
    createdAt: 1,
    localPort: null,
    isPaused: false,
  });
  await using all = world('perl\n', [kept('first', 'silent'), kept('second', 'n1')]);
  all.answer();
  all.tick();
  const states = () => all.service.list().map(({ id, state }) => `${id} ${state}`);
  await until(() => states().includes('second open'), 'the other forward is open');
  expect(states()[0]).not.toBe('first open');
});
