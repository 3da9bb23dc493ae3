// Snapshots as files: what goes in comes out, and whatever was cut, changed or made up is refused
// before the Engine has all of it.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import type { SnapshotHead } from '../../../src-main/contract/snapshot-files.ts';
import { openSnapshot, packSnapshot } from '../../../src-main/store/snapshot-file.ts';

interface Part {
  name: string;
  text?: string;
  type?: 'file' | 'symlink' | 'link' | 'directory';
  linkname?: string;
}

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const config = JSON.stringify({ architecture: 'amd64', os: 'linux' });
const configName = `${sha(config)}.json`;
const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
];
const layer = 'layer '.repeat(100_000);

const saved: Part[] = [
  { name: `${one}/`, type: 'directory' },
  { name: `${one}/VERSION`, text: '1.0' },
  { name: `${one}/layer.tar`, text: layer },
  { name: `${two}/layer.tar`, text: '' },
  { name: `${three}/layer.tar`, type: 'symlink', linkname: `../${one}/layer.tar` },
  { name: configName, text: config },
  {
    name: 'manifest.json',
    text: JSON.stringify([
      {
        Config: configName,
        RepoTags: ['debian:12'],
        Layers: [one, two, three].map((id) => `${id}/layer.tar`),
      },
    ]),
  },
  { name: 'repositories', text: '{"debian":{"12":"x"}}' },
];

const head: SnapshotHead = {
  format: 'kohakuriver-snapshot',
  version: 1,
  vps: { id: '42', name: 'anna', cores: 2, memoryBytes: 2 ** 26 },
  ssh: { mode: 'none', publicKey: null },
  tag: '1764470400',
  note: 'before the «mess» 琥珀',
  imageId: `sha256:${sha(config)}`,
  sizeBytes: layer.length,
  architecture: 'amd64',
  os: 'linux',
};

const never = new AbortController().signal;

function tar(parts: readonly Part[]): Readable {
  const archive = pack();
  for (const { name, text = '', type = 'file', linkname } of parts) {
    archive.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) }, text);
  }
  archive.finalize();
  return Readable.from(archive);
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function partsOf(archive: Buffer): Promise<Part[]> {
  const entries = extract();
  entries.end(archive);
  const parts: Part[] = [];
  for await (const entry of entries) {
    const { name, type, linkname } = entry.header;
    const text = (await bytesOf(entry)).toString();
    parts.push(type === 'symlink' ? { name, type, linkname } : { name, text });
  }
  return parts;
}

/** In chunks of a size that fits nothing. */
async function* sent(file: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += 1013) yield file.subarray(at, at + 1013);
}

const file = await bytesOf(packSnapshot(tar(saved), head, never));
const inside = await partsOf(gunzipSync(file));

/** All of it is read, as the Engine would. */
async function takeIn(bytes: Buffer): Promise<number> {
  const { image } = await openSnapshot(sent(bytes), never);
  return (await bytesOf(image)).length;
}

/** A file of these parts with a seal that holds, as somebody could make one. */
function forged(parts: readonly Part[]): Promise<Buffer> {
  const hash = createHash('sha256');
  for (const { name, text = '', linkname = '' } of parts) {
    const said = text + linkname;
    hash.update(`${name}\0${String(Buffer.byteLength(said))}\0${said}`);
  }
  const seal = { name: 'kohakuriver-seal.json', text: `{"sha256":"${hash.digest('hex')}"}` };
  return bytesOf(tar([...parts, seal])).then((bytes) => gzipSync(bytes));
}

describe('a snapshot in a file', () => {
  test('comes out as it went in, without its names and whatever is of no use', async () => {
    const { head: read, image } = await openSnapshot(sent(file), never);
    expect(read).toEqual(head);
    const [described] = JSON.parse(saved[6]!.text!) as [{ Config: string; Layers: string[] }];
    const { Config, Layers } = described;
    const manifest = JSON.stringify([{ Config, Layers, RepoTags: [] }]);
    expect((await partsOf(await bytesOf(image))).map(briefly)).toEqual(
      [...saved.slice(2, 6), { name: 'manifest.json', text: manifest }].map(briefly),
    );
  });

  test('is refused when it is cut, wherever', async () => {
    const tarred = gunzipSync(file);
    const cuts = [file.subarray(0, file.length - 30), file.subarray(0, file.length >> 1)];
    // Whole as an archive, and yet not to its end.
    const parts = inside.slice(0, -1);
    cuts.push(
      gzipSync(await bytesOf(tar(parts))),
      gzipSync(tarred.subarray(0, tarred.length >> 1)),
    );
    for (const cut of cuts)
      await expect(takeIn(cut)).rejects.toMatchObject({ code: 'snapshot/damaged' });
  });

  test('is refused when a byte of it is another', async () => {
    const tarred = gunzipSync(file);
    for (const needle of [
      'layer layer',
      '"architecture":"amd64","os":"linux"}',
      'mess',
      'RepoTags',
    ]) {
      const changed = Buffer.from(tarred);
      const at = changed.lastIndexOf(needle);
      changed[at + 2]! ^= 1;
      await expect(takeIn(gzipSync(changed)), needle).rejects.toMatchObject({
        code: expect.stringMatching(/^snapshot\//) as unknown,
      });
    }
  });

  test('is refused when it is none, or of a newer version', async () => {
    const newer = { ...head, version: 2, more: true };
    const others = {
      'snapshot/not-ours': [
        Buffer.from('hello'),
        Buffer.alloc(0),
        gzipSync('hello'),
        gzipSync(await bytesOf(tar(saved))),
        await forged([{ name: 'kohakuriver-snapshot.json', text: '{}' }, ...inside.slice(1, -1)]),
      ],
      'snapshot/newer': [
        await forged([{ name: 'kohakuriver-snapshot.json', text: JSON.stringify(newer) }]),
      ],
    };
    for (const [code, all] of Object.entries(others)) {
      for (const bytes of all) await expect(takeIn(bytes)).rejects.toMatchObject({ code });
    }
  });

  test('is refused when it holds what no image holds, though its seal holds', async () => {
    const whole = inside.slice(0, -1);
    const [first] = whole as [Part];
    const link = (linkname: string): Part => ({
      name: `${two}/layer.tar`,
      type: 'symlink',
      linkname,
    });
    const names = JSON.stringify([{ Config: '../../etc/passwd', RepoTags: null, Layers: [] }]);
    const hostile: Part[][] = [
      [first, { name: '../evil', text: 'x' }],
      [first, { name: '/etc/cron.d/evil', text: 'x' }],
      [first, { name: 'index.json', text: '{}' }],
      [first, { name: 'repositories', text: '{}' }],
      [first, link('/etc/shadow')],
      [first, link('../../../../etc/shadow')],
      [first, { name: `${one}/layer.tar`, type: 'link', linkname: `${two}/layer.tar` }],
      [first, { name: 'manifest.json', text: names }],
      [first, { name: 'manifest.json', text: '[]' }],
      [first, { name: 'manifest.json', text: 'x'.repeat(2 ** 21) }],
    ];
    for (const parts of hostile) {
      await expect(takeIn(await forged(parts)), parts[1]!.name).rejects.toMatchObject({
        code: 'snapshot/hostile',
      });
    }
    // Another image than it says, and more after its end.
    const others = whole.map((part) => (part.name === configName ? { ...part, text: '{}' } : part));
    await expect(takeIn(await forged(others))).rejects.toMatchObject({ code: 'snapshot/damaged' });
    const longer = gzipSync(await bytesOf(tar([...inside, { name: 'more', text: 'x' }])));
    await expect(takeIn(longer)).rejects.toMatchObject({ code: 'snapshot/hostile' });
    expect(await takeIn(await forged(whole))).toBeGreaterThan(layer.length);
  });

  test('fails with what it is read from, and lets go of it when nobody reads on', async () => {
    const broken = Readable.from(
      (async function* () {
        const bytes = await bytesOf(tar(saved));
        yield bytes.subarray(0, 100_000);
        throw new Error('the link is gone');
      })(),
    );
    await expect(bytesOf(packSnapshot(broken, head, never))).rejects.toThrow('the link is gone');

    const source = tar(saved);
    for await (const _chunk of packSnapshot(source, head, never) as AsyncIterable<unknown>) break;
    await expect.poll(() => source.destroyed).toBe(true);

    const endless = async function* () {
      yield file.subarray(0, 2000);
      await new Promise(() => undefined);
    };
    const leaving = new AbortController();
    const opening = openSnapshot(endless(), leaving.signal).then(({ image }) => bytesOf(image));
    leaving.abort();
    await expect(opening).rejects.toThrow();
  });
});

function briefly({ name, text = '', linkname = '' }: Part): string {
  return `${name} ${sha(text)} ${linkname}`;
}
