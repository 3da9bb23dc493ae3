import { expect, test } from 'vitest';
import { kindOf, prunable } from '../../../src-main/domain/images/prune.ts';

test('only what nothing uses goes, and nothing that is ours', () => {
  const image = (id: string, names: string[], usedBy: string[] = []) => ({
    id,
    names,
    usedBy,
    kind: kindOf(names, (id) => id === '1'),
  });
  const all = [
    image('none', []),
    image('none in use', [], ['kohakuriver-task-1']),
    image('named', ['debian:12']),
    image('named in use', ['debian:11'], ['somebody’s']),
    image('waited for', ['debian:10'], ['task 7']),
    image('environment', ['debian:9', 'kohakuriver/torch:base']),
    image('on its way', ['kohakuriver-part/0:1']),
    image('snapshot', ['kohakuriver-snapshot/vps-1:2']),
    image('snapshot of a VPS that is gone', ['kohakuriver-snapshot/vps-2:2']),
    image('of others', ['registry.example/kohakuriver/torch:1']),
  ];
  const ids = (unused: boolean) => prunable(all, { unused }).map(({ id }) => id);
  expect(ids(false)).toEqual(['none']);
  expect(ids(true)).toEqual(['none', 'named', 'of others']);
});
