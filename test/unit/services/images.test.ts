import { expect, test, vi } from 'vitest';
import type { ImageEngine, ListedImage } from '../../../src-main/runtimes/image-engine.ts';
import { ImageService, type ImageParts } from '../../../src-main/services/images/image-service.ts';

const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;
const built = digestOf('a');

function serviceOf(images: readonly ListedImage[], more: Partial<ImageParts> = {}) {
  const untag = vi.fn<ImageEngine['untag']>(() => Promise.resolve('removed'));
  const imageEngine: Partial<ImageEngine> = {
    all: () => Promise.resolve(images),
    users: () => Promise.resolve(new Map()),
    ownBytes: () => Promise.resolve(new Map()),
    untag,
  };
  const fleet = {
    find: () => ({ id: 'n' }),
    runtime: () => ({ imageEngine }),
  } as unknown as ImageParts['fleet'];
  const service = new ImageService({
    fleet,
    waitingFor: () => [],
    isVps: (id) => id === '7',
    unsaved: () => new Set(),
    ...more,
  });
  return { service, untag };
}

test('what a Dockerfile made stays while no version was saved of it', async () => {
  const images = ['a', 'b'].map((digit) => ({
    id: digestOf(digit),
    names: [],
    digests: [],
    sizeBytes: 1,
    madeAt: 1,
  }));
  const { service, untag } = serviceOf(images, { unsaved: () => new Set([built]) });
  for (const unused of [false, true]) {
    const items = await service.previewPrune('n', { unused });
    expect(items.map(({ id }) => id)).toEqual([digestOf('b')]);
  }
  await expect(service.remove('n', built)).rejects.toMatchObject({ code: 'image/kept-elsewhere' });
  expect(untag).not.toHaveBeenCalled();
});

test('what a task waits for stays: by its digest, and where it began to wait just now', async () => {
  const digest = `debian@${digestOf('d')}`;
  const image = (digit: string, name: string, digests: readonly string[] = []) => ({
    id: digestOf(digit),
    names: [name],
    digests,
    sizeBytes: 1,
    madeAt: 1,
  });
  const waited = new Set([digest]);
  const { service, untag } = serviceOf(
    [image('a', 'debian:12', [digest]), image('b', 'debian:11'), image('c', 'debian:10')],
    { waitingFor: (name) => (waited.has(name) ? ['anna'] : []) },
  );
  const ids = (await service.previewPrune('n', { unused: true })).map(({ id }) => id);
  expect(ids).toEqual([digestOf('b'), digestOf('c')]);
  untag.mockImplementation(() => {
    waited.add('debian:10');
    return Promise.resolve('removed');
  });
  const done = await service.prune('n', { ids, unused: true });
  expect(done.map(({ stays }) => stays)).toEqual([null, 'a task waits for it']);
  expect(untag).toHaveBeenCalledTimes(1);
});

test('a snapshot is let go with its VPS; one whose VPS is gone is removed by name, and never pruned', async () => {
  const snapshot = (digit: string, vps: string) => ({
    id: digestOf(digit),
    names: [`kohakuriver-snapshot/vps-${vps}:1764470400`],
    digests: [],
    sizeBytes: 1,
    madeAt: 1,
  });
  const { service, untag } = serviceOf([snapshot('a', '7'), snapshot('b', '8')]);
  const kinds = (await service.list('n')).map(({ kind }) => kind);
  expect(kinds).toEqual(['snapshot', 'left-snapshot']);
  expect(await service.previewPrune('n', { unused: true })).toEqual([]);
  const remove = (vps: string) => service.remove('n', snapshot('a', vps).names[0]!);
  await expect(remove('7')).rejects.toMatchObject({ code: 'image/kept-elsewhere' });
  expect(untag).not.toHaveBeenCalled();
  await remove('8');
  expect(untag).toHaveBeenCalledWith(snapshot('b', '8').names[0]);
});
