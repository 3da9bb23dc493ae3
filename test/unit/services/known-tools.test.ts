import { afterAll, expect, test } from 'vitest';
import type { NodeId } from '../../../src-main/contract/ids.ts';
import { LinkError } from '../../../src-main/link/errors.ts';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import type { Root } from '../../../src-main/services/files/places.ts';
import { KnownTools } from '../../../src-main/services/transfers/known-tools.ts';
import { FakeTime } from '../../support/fake-time.ts';

const link = new LocalLink();
afterAll(() => link.close());

async function place(nodeId?: NodeId) {
  const looks = { count: 0, isReachable: true };
  const root: Root = {
    place: { kind: 'here' },
    label: 'this computer',
    nodeId,
    files: Object.create(await link.files()) as Root['files'],
    spawn: (command, options) => {
      looks.count += 1;
      if (!looks.isReachable) throw new LinkError('link/lost', 'It is gone.', { retry: 'later' });
      return link.spawn(command, options);
    },
  };
  return { root, looks };
}

test('programs are looked for once in two minutes, and for every link', async () => {
  const time = new FakeTime();
  const known = new KnownTools(time);
  const { root, looks } = await place();
  const found = await known.of(root);
  expect(found).toMatchObject({ tar: true });
  expect(await known.of({ ...root })).toBe(found);
  time.advance(119_000);
  await known.of(root);
  expect(looks.count).toBe(1);
  time.advance(1_000);
  await known.of(root);
  expect(looks.count).toBe(2);
  const other = await place();
  await known.of(other.root);
  expect(other.looks.count).toBe(1);
});

test('a node that could not be looked at is looked at again', async () => {
  const known = new KnownTools(new FakeTime());
  const { root, looks } = await place('1' as NodeId);
  looks.isReachable = false;
  expect(await known.of(root)).toMatchObject({ tar: false, shell: false });
  looks.isReachable = true;
  expect(await known.of(root)).toMatchObject({ tar: true, shell: true });
});
