// The parts of a workspace, on a fake core.
import { describe, expect, test, vi } from 'vitest';
import { tableOf } from '../../src-renderer/lib/files/table-of.ts';
import { markedParts } from '../../src-renderer/lib/files/marked-parts.ts';
import { hexOf, wholeLines } from '../../src-renderer/lib/files/text-of.ts';
import { createFakeClient, type FakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { largeLog } from '../../src-renderer/lib/fake/fake-samples.ts';
import { openDocument } from '../../src-renderer/lib/text-editor.ts';
import { workspaceHref } from '../../src-renderer/lib/workspace-address.ts';
import { OpenedFile, partBytes } from '../../src-renderer/state/opened-file.svelte.ts';
import { Workspace } from '../../src-renderer/state/workspace.svelte.ts';

const here = { kind: 'here' } as const;
const home = '/home/mio';
const bytesOf = (text: string) => new TextEncoder().encode(text);

test('a part of a large file is whole lines, where it has any', () => {
  const bytes = bytesOf('cut\nwhole\nalso cut');
  const of = (isFirst: boolean, isLast: boolean) => wholeLines(bytes, { isFirst, isLast });
  expect(of(false, false)).toEqual({ from: 4, to: 10 });
  expect(of(true, false)).toEqual({ from: 0, to: 10 });
  expect(of(false, true)).toEqual({ from: 4, to: 18 });
  expect(wholeLines(bytesOf('endless'), { isFirst: false, isLast: false })).toEqual({
    from: 0,
    to: 7,
  });
  expect(hexOf(bytesOf('river'), 0x1230)).toMatch(/^00001230 {2}72 69/);
});

test('what was looked for is marked, whatever its letters are', () => {
  expect(markedParts('River, river', 'riv').map(({ text }) => text)).toEqual([
    'Riv',
    'er, ',
    'riv',
    'er',
  ]);
  expect(markedParts('<b>x', '')).toEqual([{ text: '<b>x', isMarked: false }]);
  // Its small form is longer than it: nothing is marked rather than the wrong thing.
  expect(markedParts('İstanbul', 'ist')).toEqual([{ text: 'İstanbul', isMarked: false }]);
});

test('text with separators is a table, uneven rows and all', () => {
  const text = '\uFEFFname,"a, b"\r\n"x ""y""",1,more\r\n\r\nz';
  expect(tableOf(text, { separator: ',', hasHead: true })).toEqual({
    head: ['name', 'a, b', '3'],
    rows: [['x "y"', '1', 'more'], ['z']],
    columnCount: 3,
  });
  const wide = tableOf(`${'x\t'.repeat(500)}x`, { separator: '\t', hasHead: false });
  expect([wide.head.length, wide.columnCount, wide.rows.length]).toEqual([200, 501, 1]);
});

test('a text keeps its line ends, and what is saved is told by version', () => {
  const changes: boolean[] = [];
  const open = (text: string) =>
    openDocument({
      text,
      name: 'a.txt',
      label: 'a.txt',
      isReadOnly: false,
      onChange: (isChanged) => changes.push(isChanged),
      onSave: () => undefined,
    });
  for (const text of ['', 'a\r\nb\r\n', 'a\nb', 'a\r\nb\n', 'lone\rcr', '\uFEFFbom\n']) {
    expect(open(text).text()).toBe(text);
  }
  const document = open('a\r\nb\r\n');
  const before = document.version();
  document.replace('a\nb\nc');
  expect([document.text(), document.isWindows]).toEqual(['a\nb\nc', false]);
  document.markSaved(before);
  expect(changes).toEqual([false, true]);
});

describe('an opened file', () => {
  const fileOf = (path: string, client = createFakeClient()) =>
    new OpenedFile(client, { place: here, path: `${home}/${path}` });

  test('of a large one only parts are read', async () => {
    const client = createFakeClient();
    const asked: number[] = [];
    const watched: FakeClient = {
      ...client,
      openStream: (name, input, options) => {
        if (name === 'files.read' && 'length' in input) asked.push(Number(input.length));
        return client.openStream(name, input, options);
      },
    };
    const file = fileOf('data/train.log', watched);
    await file.load();
    const size = largeLog.lines * largeLog.width;
    expect(file.content).toMatchObject({ kind: 'text', readOnly: 'large' });
    expect(file.part).toEqual({ from: 0, to: partBytes, size });
    await file.move(size - 1000);
    expect(file.part).toEqual({ from: size - 960, to: size, size });
    await file.move(Infinity);
    expect(file.part?.to).toBe(size);
    expect(Math.max(...asked)).toBeLessThanOrEqual(partBytes);
  });

  test('what is no text is bytes; what is not there says so', async () => {
    const file = fileOf('data/tokens.bin');
    await file.load();
    expect(file.content).toMatchObject({ kind: 'binary', part: { from: 0 } });
    const none = fileOf('nowhere');
    await none.load();
    expect(none.content).toMatchObject({
      kind: 'problem',
      problem: { code: 'link/file-not-found' },
    });
  });
});

describe('a workspace', () => {
  function opened(client = createFakeClient(), key = 'test') {
    const failed = vi.fn();
    const workspace = new Workspace({
      client,
      key,
      failed,
      location: { place: here, path: home },
    });
    return { client, workspace, failed };
  }
  /** As another would change it. */
  async function change(client: FakeClient, path: string, text: string) {
    const bytes = bytesOf(text);
    const input = { place: here, path, overwrite: true, size: bytes.length };
    const upload = (async function* () {
      await Promise.resolve();
      yield bytes;
    })();
    for await (const _answer of client.openStream('files.write', input, { upload })) continue;
  }
  async function edited(work = opened()) {
    const tab = work.workspace.open(`${home}/README.md`);
    await vi.waitFor(() => expect(tab.document).toBeDefined());
    return { ...work, tab };
  }

  /** Streams of a name wait, from one of them on, until they are let go. */
  function holding(held: string) {
    const client = createFakeClient();
    const gate = { heldFrom: Infinity, isFailing: false, underWay: 0, most: 0, all: 0 };
    async function* wait(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
      gate.all += 1;
      const turn = gate.all;
      gate.underWay += 1;
      gate.most = Math.max(gate.most, gate.underWay);
      try {
        while (turn >= gate.heldFrom) await new Promise((resolve) => setTimeout(resolve, 1));
        if (gate.isFailing) throw new Error('lost');
        yield* stream;
      } finally {
        gate.underWay -= 1;
      }
      return undefined;
    }
    const waiting: FakeClient = {
      ...client,
      openStream: (name, input, options) => {
        const stream = client.openStream(name, input, options);
        if (name !== held) return stream;
        return Object.assign(wait(stream), { chunks: () => stream.chunks() });
      },
    };
    return { waiting, gate };
  }

  test('shows folders as they are opened, and goes back into them', async () => {
    localStorage.clear();
    const { client, workspace } = opened();
    const { tree } = workspace;
    await tree.start();
    const names = () =>
      tree.rows.map((row) => (row.kind === 'entry' ? row.entry.name : `(${String(row.note)})`));
    expect(names().slice(0, 3)).toEqual(['checkpoints', 'data', 'src']);
    await tree.reveal(`${home}/src/model.py`);
    workspace.noteFolders();
    expect(names().slice(2, 5)).toEqual(['src', '__init__.py', 'model.py']);
    expect(tree.folderOfCursor).toBe(`${home}/src`);
    const link = tree.rows.find((row) => row.kind === 'entry' && row.entry.kind === 'link');
    expect(link?.kind === 'entry' && (await tree.expand(link))).toBe(true);
    await client.api.files.makeDirectory({ place: here, path: `${home}/empty` });
    await tree.readAgain([home]);
    const empty = tree.rows.find((row) => row.path === `${home}/empty`);
    if (empty?.kind === 'entry') await tree.toggle(empty);
    expect(names()).toContain('(empty)');
    workspace.open(`${home}/src/model.py`);

    const again = opened(client).workspace;
    expect(again.active?.path).toBe(`${home}/src/model.py`);
    await again.tree.start();
    expect(again.tree.shownFolders).toContain(`${home}/src`);
  });

  test('a folder is read one time after the other, and stays open while it is read again', async () => {
    localStorage.clear();
    const { waiting, gate } = holding('files.list');
    const { tree } = opened(waiting).workspace;
    tree.takeUp([`${home}/src`]);
    gate.heldFrom = 1;
    const started = tree.start();
    const again = Array.from({ length: 10 }, () => tree.readAgain([home]));
    await vi.waitFor(() => expect(gate.all).toBe(1));
    gate.heldFrom = Infinity;
    await Promise.all([started, ...again]);
    expect(tree.expandedFolders).toEqual([`${home}/src`]);
    expect(tree.rows.map(({ path }) => path)).toContain(`${home}/src/model.py`);
    // The first, one more for all ten, and the folder in it.
    expect(gate.all).toBe(3);
  });

  test('a tab follows the file until something is typed in it; then it asks', async () => {
    const { client, tab } = await edited();
    expect(tab.document?.text()).toContain('# Kohaku');
    await change(client, tab.path, 'from there');
    await tab.look();
    expect([tab.document?.text(), tab.isDirty, tab.conflict]).toEqual([
      'from there',
      false,
      undefined,
    ]);
    const saved = tab.document!.version();
    tab.document!.replace('mine');
    tab.document!.markSaved(saved);
    expect(tab.isDirty).toBe(true);
    await change(client, tab.path, 'theirs');
    await tab.look();
    expect([tab.document?.text(), tab.conflict]).toEqual(['mine', 'changed']);
    expect(await tab.save({ isAuto: true })).toBe(false);
    await client.api.files.remove({ place: here, paths: [tab.path] });
    await tab.look();
    expect(tab.conflict).toBe('gone');
    expect(await tab.save({ isForced: true })).toBe(true);
    expect([tab.isDirty, tab.conflict]).toEqual([false, undefined]);
  });

  test.each([false, true])(
    'what is typed while the file is read again stays (the read fails: %s)',
    async (isFailing) => {
      localStorage.clear();
      const { waiting, gate } = holding('files.read');
      const { client, tab } = await edited(opened(waiting));
      await change(client, tab.path, 'theirs');
      // One read sees that it is another; the next, that is to be shown, is held.
      const second = gate.all + 2;
      gate.heldFrom = second;
      const look = tab.look();
      await vi.waitFor(() => expect(gate.all).toBe(second));
      const saved = tab.document!.version();
      tab.document!.replace('mine');
      tab.document!.markSaved(saved);
      Object.assign(gate, { heldFrom: Infinity, isFailing });
      await look;
      expect([tab.document?.text(), tab.isDirty, tab.conflict]).toEqual(['mine', true, 'changed']);
    },
  );

  test('however often a file is told of, it is looked at one time after the other', async () => {
    localStorage.clear();
    const { waiting, gate } = holding('files.read');
    const { client, tab } = await edited(opened(waiting));
    Object.assign(gate, { all: 0, most: 0, heldFrom: 1 });
    const first = tab.look();
    await vi.waitFor(() => expect(gate.all).toBe(1));
    const looks = Array.from({ length: 20 }, () => tab.look());
    gate.heldFrom = Infinity;
    await Promise.all([first, ...looks]);
    expect([gate.most, gate.all]).toEqual([1, 2]);
    await change(client, tab.path, 'last');
    await tab.look();
    expect(tab.document?.text()).toBe('last');
  });

  test('what is saved while it is looked at is not taken for somebody else’s', async () => {
    const { waiting, gate } = holding('files.read');
    const file = new OpenedFile(waiting, { place: here, path: `${home}/README.md` });
    await file.load();
    gate.heldFrom = gate.all + 1;
    const difference = file.difference();
    await vi.waitFor(() => expect(gate.underWay).toBe(1));
    await file.save('mine', { isForced: false });
    gate.heldFrom = Infinity;
    expect(await difference).toBe('same');
  });

  test('tabs: the one looked at before comes back, names are followed, and no more than some are open', async () => {
    const { workspace } = opened(createFakeClient(), 'tabs');
    const open = (name: string) => workspace.open(`${home}/${name}`);
    const [a, b] = [open('a'), open('b')];
    workspace.select(a);
    const c = open('c');
    expect(workspace.tabs.map(({ title }) => title)).toEqual(['a', 'c', 'b']);
    workspace.close(c);
    expect(workspace.active).toBe(a);
    workspace.renamed(`${home}/b`, `${home}/renamed`);
    expect(workspace.tabs.map(({ title }) => title)).toEqual(['a', 'renamed']);
    expect(workspace.tabs).not.toContain(b);
    for (let n = 0; n < 60; n += 1) open(`n${n}`);
    expect(workspace.tabs.length).toBe(40);
    expect(workspace.active?.title).toBe('n59');
    await Promise.resolve();
  });

  test('finds lines, file by file', async () => {
    const { workspace } = opened(createFakeClient(), 'find');
    const { find } = workspace;
    find.text = 'kohaku(';
    await find.start();
    expect(find.end).toMatchObject({ isCut: false });
    expect(find.rows.map((row) => `${row.kind} ${row.path}`)).toEqual([
      'file train.py',
      'hit train.py',
      'file src/model.py',
      'hit src/model.py',
    ]);
    find.toggle('train.py');
    expect(find.rows.length).toBe(3);
  });
});

test('the address of a workspace keeps names whole', () => {
  const address = workspaceHref({ kind: 'node', node: 'alpha' }, '/a b&c', '/a b&c/#?.txt');
  const query = new URLSearchParams(address.split('?')[1]);
  expect(Object.fromEntries(query)).toEqual({
    node: 'alpha',
    path: '/a b&c',
    file: '/a b&c/#?.txt',
  });
});
