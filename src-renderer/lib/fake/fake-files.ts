// Files of the fake core: the same small tree in every place, kept in memory.
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { FileEntryView, FileInfo, FileLocation } from '../../../src-main/contract/files.ts';
import type { StreamInput } from '../../../src-main/contract/procedures.ts';
import type { StreamOptions } from '../../../src-main/contract/client.ts';
import type { Api, ByteReader } from '../client.ts';
import { answering, bytesReader, lines, textOf } from './fake-bytes.ts';
import { largeLog, sampleBytes, textBytes } from './fake-samples.ts';

const home = '/home/mio';
const at = 1_772_000_000;

/** Entries by path; a folder is one whose path others begin with. */
function sketchTree(): Map<string, FileEntryView> {
  const tree = new Map<string, FileEntryView>();
  const add = (path: string, kind: FileEntryView['kind'], [size, age]: [number, number]) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const mode = kind === 'directory' ? 0o755 : 0o644;
    const modifiedAt = at - age * 3600;
    tree.set(path, { name, kind, size, mode, uid: 1000, gid: 1000, modifiedAt });
  };
  /** One whose text there is to read: it is as large as that. */
  const addText = (path: string, age: number) =>
    add(path, 'file', [sampleBytes(path, 0, 2 ** 20).length, age]);
  add('/home', 'directory', [4096, 900]);
  add(home, 'directory', [4096, 1]);
  for (const folder of ['.cache', 'checkpoints', 'data', 'src']) {
    add(`${home}/${folder}`, 'directory', [4096, folder.length]);
  }
  addText(`${home}/.bashrc`, 2000);
  addText(`${home}/README.md`, 30);
  addText(`${home}/train.py`, 2);
  addText(`${home}/sweep results (final).csv`, 5);
  add(`${home}/latest`, 'link', [21, 1]);
  // A name is data: this one would turn its line, break it, and be markup, if it were taken as more.
  add(`${home}/<b>plain</b>\n\u202etxt.exe\uDCFF`, 'file', [12, 400]);
  for (let step = 1; step <= 6; step += 1) {
    add(`${home}/checkpoints/step-${step}000.safetensors`, 'file', [2 ** 32 + step, 6 - step]);
  }
  add(`${home}/data/tokens.bin`, 'file', [13_421_772_800, 200]);
  add(`${home}/data/train.log`, 'file', [largeLog.lines * largeLog.width, 3]);
  add(`${home}/data/loss.png`, 'file', [600, 4]);
  addText(`${home}/src/model.py`, 3);
  add(`${home}/src/__init__.py`, 'file', [0, 70]);
  return tree;
}

export type FakeDisk = ReturnType<typeof fakeFiles>['disk'];

/** The calls and streams of files. */
export function fakeFiles() {
  const tree = sketchTree();
  const written = new Map<string, string>();
  const need = (path: string): FileEntryView => {
    const found = path === '/' ? rootEntry : tree.get(path);
    if (found === undefined) throw new RequestError('link/file-not-found', `There is no ${path}.`);
    return found;
  };
  const below = (path: string) => {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...tree.keys()].filter((each) => each.startsWith(prefix));
  };
  const put = (path: string, entry: Omit<FileEntryView, 'name'>) => {
    if (tree.has(path)) throw new RequestError('link/file-exists', `${path} exists already.`);
    tree.set(path, { ...entry, name: path.slice(path.lastIndexOf('/') + 1) });
    return { path };
  };
  const owned = { uid: 1000, gid: 1000, modifiedAt: at };
  const info = (path: string): FileInfo => {
    const entry = need(path);
    const isLink = entry.kind === 'link';
    const linkTarget = isLink ? 'checkpoints' : null;
    return { ...entry, path, linkTarget, targetKind: isLink ? 'directory' : null };
  };
  const move = (from: string, to: string) => {
    for (const path of [...below(from), from]) {
      const entry = need(path);
      tree.delete(path);
      const moved = to + path.slice(from.length);
      tree.set(moved, { ...entry, name: moved.slice(moved.lastIndexOf('/') + 1) });
    }
    return { path: to };
  };
  const api: Api['files'] = {
    home: async () => ({ path: home }),
    info: async ({ path }) => info(path === '~' ? home : path),
    diskUse: async () => ({ totalBytes: 2 ** 41, freeBytes: 0.6 * 2 ** 41 }),
    makeDirectory: async ({ path, parents }) =>
      parents === true && tree.get(path)?.kind === 'directory'
        ? { path }
        : put(path, { ...owned, kind: 'directory', size: 4096, mode: 0o755 }),
    makeFile: async ({ path }) => put(path, { ...owned, kind: 'file', size: 0, mode: 0o644 }),
    rename: async ({ from, to }) => move(from, to),
    remove: async ({ paths }) =>
      paths.map((path) => {
        for (const each of [...below(path), path]) tree.delete(each);
        return { path, ok: true, message: null };
      }),
    setMode: async ({ path, mode }) => {
      tree.set(path, { ...need(path), mode });
      return info(path);
    },
  };
  const contentOf = (path: string, position = 0, length = 2 ** 26): Uint8Array => {
    const text = written.get(path);
    if (text === undefined) return sampleBytes(path, position, length);
    return textBytes(text).slice(position, position + length);
  };
  const write = (path: string, text: string): FileInfo => {
    tree.delete(path);
    written.set(path, text);
    put(path, { ...owned, kind: 'file', size: textBytes(text).length, mode: 0o644 });
    return info(path);
  };
  const children = (path: string) => {
    const depth = path === '/' ? 1 : path.split('/').length;
    return below(path).filter((each) => each.split('/').length === depth + 1);
  };
  const list = ({ path }: FileLocation): ByteReader => {
    need(path);
    return lines([children(path).map((each) => need(each))]);
  };
  return {
    api,
    /** For what else works on the same files. */
    disk: { info, contentOf, write, paths: () => [...tree.keys()] },
    streams: {
      'files.list': (input: StreamInput<'files.list'>) => list(input),
      'files.read': ({ path, position = 0, length }: StreamInput<'files.read'>) =>
        bytesReader(async () => {
          need(path);
          return contentOf(path, position, length);
        }),
      'files.archive': () => bytesReader(async () => new Uint8Array()),
      'files.write': (input: StreamInput<'files.write'>, { upload }: StreamOptions) =>
        answering(async () => {
          if (input.overwrite !== true && tree.has(input.path)) {
            throw new RequestError('files/taken', `There is something at ${input.path} already.`);
          }
          const { path, size } = write(input.path, await textOf(upload));
          return { path, size };
        }),
    },
  };
}

const rootEntry: FileEntryView = {
  name: '',
  kind: 'directory',
  size: 4096,
  mode: 0o755,
  uid: 0,
  gid: 0,
  modifiedAt: at,
};
