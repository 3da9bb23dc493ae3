// The images of the fake core: the same on each node.
import type { StreamOptions } from '../../../src-main/contract/client.ts';
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { ImageView } from '../../../src-main/contract/images.ts';
import type { StreamInput } from '../../../src-main/contract/procedures.ts';
import type { Api, ByteReader } from '../client.ts';
import { answering } from './fake-bytes.ts';
import type { FakeCore } from './fake-core.ts';

const GiB = 2 ** 30;
const hour = 3_600_000;

export function fakeImages(core: FakeCore): {
  api: Api['images'];
  streams: Record<string, (input: never, options: StreamOptions) => ByteReader>;
} {
  const image = (digit: string, size: number, rest: Partial<ImageView>): ImageView => ({
    id: `sha256:${digit.repeat(64)}`,
    names: [],
    sizeBytes: Math.round(size * GiB),
    madeAt: core.now() - 30 * hour,
    usedBy: [],
    kind: null,
    ...rest,
  });
  let all = [
    image('a', 7.1, {
      names: ['kohakuriver/torch-lab:base'],
      usedBy: ['kohakuriver-vps-7531', 'kohakuriver-task-7544'],
      kind: 'environment',
    }),
    image('b', 6.2, {
      names: ['pytorch/pytorch:2.5.1', 'registry.lab.example:5000/team/pytorch:stable'],
      usedBy: ['kohakuriver-task-7502'],
    }),
    image('c', 0.12, { names: ['debian:12'] }),
    image('d', 5.8, {}),
    image('e', 2.4, { names: ['kohakuriver-snapshot/vps-7531:1764470400'], kind: 'snapshot' }),
    image('f', 1.1, {
      names: ['kohakuriver-snapshot/vps-7420:1764384000'],
      kind: 'left-snapshot',
    }),
  ];
  const going = (unused: boolean) =>
    all.filter(
      ({ names, usedBy, kind }) =>
        usedBy.length === 0 && kind === null && (unused || names.length === 0),
    );
  const items = (images: readonly ImageView[]) =>
    images.map(({ id, names, sizeBytes }) => ({ id, names, bytes: sizeBytes, stays: null }));
  return {
    api: {
      list: async () => all,
      remove: async ({ image: name }) => {
        all = all.flatMap((each) => {
          if (!each.names.includes(name)) return each.id === name ? [] : [each];
          const names = each.names.filter((one) => one !== name);
          return names.length === 0 ? [] : [{ ...each, names }];
        });
        return { image: name };
      },
      previewPrune: async ({ unused = false }) => items(going(unused)),
      prune: async ({ unused = false, ids }) => {
        const gone = going(unused).filter(({ id }) => ids.includes(id));
        all = all.filter((each) => !gone.includes(each));
        return items(gone);
      },
    },
    streams: {
      'images.pull': ({ reference }: StreamInput<'images.pull'>) =>
        answering(async () => {
          if (reference.includes('private')) {
            throw new RequestError('docker/image-denied', `${reference} needs a login.`);
          }
          const pulled = image('f', 1.1, { names: [reference], madeAt: core.now() });
          all = [pulled, ...all];
          return { id: pulled.id };
        }),
    },
  };
}
