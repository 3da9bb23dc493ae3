import { expect, test } from 'vitest';
import { mountsOf } from '../../../src-main/services/attempts/attempt-spec.ts';
import { aTask } from '../domain/builders.ts';

test('a container is shown the folders that go with its task, each once, unless a mount shows it', () => {
  const folders = {
    sync: [
      { from: '/code', to: '/srv/code' },
      { from: '/data', to: '/big/data' },
    ],
    fetch: [{ from: '/srv/code', to: '/back' }],
  };
  const mounts = [{ source: '/big/', destination: '/mnt', readOnly: false }];
  const { spec } = aTask({ ...folders, mounts });
  expect(mountsOf(spec)).toEqual([
    ...mounts,
    { source: '/srv/code', destination: '/srv/code', readOnly: false },
  ]);
  expect(mountsOf({ ...spec, vessel: { kind: 'process' }, mounts: [] })).toEqual([]);
});
