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
    unsaved: () => new Set(),
    ...more,
  });
  return { service, untag };
}

test('what a Dockerfile made stays while no version was saved of it', async () => {
  const images = ['a', 'b'].map((digit) => ({
    id: digestOf(digit),
    names: [],
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
