import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  layersThere,
  loadSteps,
  partConfig,
} from '../../../src-main/domain/environments/layers.ts';
import {
  oldVersions,
  type EnvironmentRecord,
} from '../../../src-main/domain/environments/environment.ts';
import { LayerFiles, tarOf } from '../../../src-main/store/layer-files.ts';

const digestOf = (bytes: Buffer | string) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

test('what is there counts from the bottom only, and of the image that has the most', () => {
  expect(layersThere(['a', 'b', 'c'], [['a'], ['a', 'b', 'x'], ['b', 'c']])).toBe(2);
  expect(layersThere(['a', 'b'], [['a', 'b', 'c']])).toBe(2);
  expect(layersThere(['a'], [])).toBe(0);
});

test('every layer that is missing goes in exactly one load, in order', () => {
  const sizes = fc.array(fc.nat(120 * 2 ** 20), { maxLength: 40 });
  fc.assert(
    fc.property(sizes, fc.nat(40), (all, start) => {
      const from = Math.min(start, all.length);
      const steps = loadSteps(all, from);
      expect(steps.at(-1)).toBe(all.length);
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      // More than one layer in a load stays below the limit until the last of it.
      let begin = from;
      for (const end of steps) {
        const before = all.slice(begin, end - 1).reduce((sum, size) => sum + size, 0);
        expect(before).toBeLessThan(64 * 2 ** 20);
        begin = end;
      }
    }),
  );
});

let dir: string;
let files: LayerFiles;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kohakuriver-layers-'));
  files = new LayerFiles(join(dir, 'layers'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));
const { signal } = new AbortController();

test('layers are taken by their content, whatever they are called, and go out as they came', async () => {
  const [low, top, other] = ['low', 'top', 'other'].map(
    (word) => word + randomBytes(9).toString('hex'),
  );
  const config = partConfig([digestOf(low!), digestOf(top!)], {
    architecture: 'amd64',
    os: 'linux',
  });
  const saved = tarOf([
    { name: 'abc/layer.tar', text: top! },
    { name: `${digestOf(config).slice(7)}.json`, text: config },
    { name: `blobs/sha256/${digestOf(other!).slice(7)}`, text: other! },
    { name: 'def/layer.tar', text: low! },
    { name: 'manifest.json', text: '[]' },
  ]);
  const wanted = [digestOf(config), digestOf(low!), digestOf(top!), `sha256:${'0'.repeat(64)}`];
  expect(await files.take(saved, { wanted, signal })).toEqual([`sha256:${'0'.repeat(64)}`]);
  expect(await files.sizeOf(digestOf(top!))).toBe(top!.length);
  expect(await files.sizeOf(digestOf(other!))).toBeUndefined();
  expect(await readdir(join(dir, 'layers'))).toHaveLength(3);

  const plan = {
    config: { digest: digestOf(config) },
    layers: [digestOf(low!), digestOf(top!)],
    carried: [digestOf(top!)],
    names: ['kohakuriver/lab:base'],
  };
  const sent = (await buffer(files.stream(plan, signal))).toString('latin1');
  expect(sent).toContain(top!);
  expect(sent).toContain('kohakuriver/lab:base');
  expect(sent).not.toContain(low!);
});

test('what breaks off leaves nothing half, and what is no layer’s name is no path', async () => {
  const broken = Readable.from(
    (async function* () {
      yield (await buffer(tarOf([{ name: 'a/layer.tar', text: 'x'.repeat(5000) }]))).subarray(
        0,
        2000,
      );
      throw new Error('the link broke');
    })(),
  );
  await expect(
    files.take(broken, { wanted: [digestOf('x'.repeat(5000))], signal }),
  ).rejects.toThrow('the link broke');
  expect(await readdir(join(dir, 'layers'))).toEqual([]);
  await expect(files.sizeOf('sha256:../../etc/passwd')).rejects.toThrow(TypeError);
});

test('the newest of each tag stay', () => {
  const version = (tag: string, madeAt: number) => ({ tag, madeAt, id: `${tag}${madeAt}` });
  const versions = [version('base', 1), version('base', 2), version('cuda', 3), version('base', 4)];
  const record = { versions } as unknown as EnvironmentRecord;
  expect(oldVersions(record, 2).map(({ madeAt }) => madeAt)).toEqual([1]);
  expect(oldVersions(record, 1).map(({ madeAt }) => madeAt)).toEqual([1, 2]);
  expect(oldVersions(record, 9)).toEqual([]);
});
