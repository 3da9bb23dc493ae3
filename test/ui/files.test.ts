// The files page and the list of transfers, on a fake core.
import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { File } from 'node:buffer';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { crumbs, nameProblem, shownName } from '../../src-renderer/lib/files/paths.ts';
import { freeName } from '../../src-renderer/lib/files/free-name.ts';
import { SpeedMeter } from '../../src-renderer/lib/files/speed-meter.ts';
import { hexOf, textOf } from '../../src-renderer/lib/files/text-of.ts';
import { createFakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { FilePane } from '../../src-renderer/state/file-pane.svelte.ts';
import { Upload } from '../../src-renderer/state/upload.svelte.ts';
import { renderApp } from './support/app.ts';

const here = { kind: 'here' } as const;

test('names show what they are made of and never more', () => {
  expect(shownName('plain name.txt')).toBe('plain name.txt');
  expect(shownName('a\nb\u202ec\u0007\uDCFF')).toBe('a\\nb\\u{202e}c\\u{7}\\xff');
  expect(nameProblem('ok')).toBeUndefined();
  for (const bad of ['..', 'a/b', 'a\0b', 'ü'.repeat(128)]) expect(nameProblem(bad)).toMatch(/./);
  expect(crumbs('/a/b').map(({ path }) => path)).toEqual(['/', '/a', '/a/b']);
  expect([0, 1, 2].map((tries) => freeName('a.tar', tries))).toEqual([
    'a.tar',
    'a (2).tar',
    'a (3).tar',
  ]);
});

test('bytes are text only when all of them are', () => {
  expect(textOf(new TextEncoder().encode('grüße'), false)).toBe('grüße');
  expect(textOf(Uint8Array.from([0x61, 0]), false)).toBeUndefined();
  expect(textOf(Uint8Array.from([0x61, 0xc3]), false)).toBeUndefined();
  expect(textOf(Uint8Array.from([0x61, 0xc3]), true)).toBe('a');
  expect(hexOf(new TextEncoder().encode('<b>\n'))).toMatch(/^00000000 {2}3c 62 3e 0a +<b>·$/);
});

test('speed is told over seconds, not from part to part', () => {
  const meter = new SpeedMeter();
  expect(meter.note(0, 0)).toBeNull();
  expect(meter.note(1000, 5_000_000)).toBe(5_000_000);
  expect(meter.note(2000, 5_000_000)).toBe(2_500_000);
});

describe('a pane', () => {
  async function opened() {
    const pane = new FilePane(createFakeClient());
    await pane.open(here);
    return pane;
  }
  const names = (pane: FilePane) => pane.shown.map(({ name }) => name);

  test('shows folders first, hides hidden ones, filters and sorts', async () => {
    const pane = await opened();
    expect(names(pane).slice(0, 3)).toEqual(['checkpoints', 'data', 'src']);
    expect(names(pane)).not.toContain('.bashrc');
    pane.isHiddenShown = true;
    expect(names(pane)).toContain('.bashrc');
    pane.filter = 'TRAIN';
    expect(names(pane)).toEqual(['train.py']);
    pane.filter = '';
    pane.sortBy('size');
    pane.sortBy('size');
    const sizes = pane.shown.filter(({ kind }) => kind === 'file').map(({ size }) => size);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  test('chooses ranges from where the last choice began, and comes back to where it was', async () => {
    const pane = await opened();
    pane.pick(1, 'alone');
    pane.pick(3, 'range');
    expect(pane.selected.size).toBe(3);
    pane.pick(2, 'range');
    expect(pane.selected.size).toBe(2);
    pane.pick(1, 'toggle');
    expect([...pane.selected]).toEqual([pane.shown[2]?.name]);
    const data = pane.shown.find(({ name }) => name === 'data');
    if (data === undefined) throw new Error('there is no data');
    expect(await pane.enter(data)).toBe(true);
    expect(names(pane)).toEqual(['loss.png', 'tokens.bin', 'train.log']);
    await pane.up();
    expect(pane.shown[pane.cursor]?.name).toBe('data');
  });

  test('shows nothing that comes late of another folder', async () => {
    const pane = await opened();
    const slow = pane.go('/home/mio/data');
    await pane.go('/home/mio/src');
    await slow;
    expect(names(pane)).toEqual(['__init__.py', 'model.py']);
  });
});

describe('an upload', () => {
  const file = (path: string, text: string) => ({
    path,
    // The one of jsdom cannot be read as a stream.
    file: new File([text], path, { lastModified: 1_772_000_000_000 }) as unknown as globalThis.File,
  });
  function upload(client: ReturnType<typeof createFakeClient>, paths: readonly string[]) {
    const chosen = { files: paths.map((path) => file(path, `text of ${path}`)), folders: [] };
    const to = { place: here, path: '/home/mio' };
    return new Upload(client, { id: 'u', chosen, to, toLabel: 'desk' });
  }

  test('asks about what is there, and keeps both when told so', async () => {
    const client = createFakeClient();
    const own = upload(client, ['train.py', 'new.txt']);
    await own.run();
    expect(own.status).toBe('ASKING');
    expect(own.inTheWay.map(({ path }) => path)).toEqual(['train.py']);
    expect(own.filesDone).toBe(1);
    own.answer('rename');
    await own.run();
    expect(own).toMatchObject({ status: 'DONE', filesDone: 2, problems: [] });
    const { size } = await client.api.files.info({ place: here, path: '/home/mio/train (2).py' });
    expect(size).toBe('text of train.py'.length);
  });

  test('names what failed in words, and sends only that again', async () => {
    const client = createFakeClient();
    let isFull = true;
    const { openStream } = client;
    client.openStream = (name, input, options) => {
      if (isFull && name === 'files.write') throw new Error('The disk is full.');
      return openStream(name, input, options);
    };
    const own = upload(client, ['a.txt']);
    await own.run();
    expect(own).toMatchObject({
      status: 'FAILED',
      problems: [{ path: 'a.txt', message: 'The disk is full.' }],
    });
    isFull = false;
    own.retry();
    await own.run();
    expect(own).toMatchObject({ status: 'DONE', filesDone: 1, problems: [] });
  });
});

describe('the page', () => {
  // Lists show what fits, and nothing has a height in jsdom.
  beforeAll(() => {
    vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(600);
    vi.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(600);
  });

  test('copies what is chosen to the other pane; the panel shows it and asks', async () => {
    renderApp('#/files');
    const left = await screen.findByRole('region', { name: 'Left pane' });
    await fireEvent.click(await within(left).findByText('README.md'));
    await fireEvent.click(within(left).getByRole('button', { name: 'Copy to the other pane' }));
    const panel = await screen.findByRole('list', { name: 'Transfers' });
    await within(panel).findByText('README.md');
    const question = within(panel).getByRole('group', { name: /14 files are there/ });
    await fireEvent.click(within(question).getByRole('button', { name: 'Skip' }));
    await waitFor(() => expect(within(panel).queryByRole('group')).toBeNull());
    await fireEvent.click(within(panel).getByRole('button', { name: 'Show the 3 files' }));
    await within(panel).findByText(/It changed while it was read/);
  });

  test('a name is renamed by a dialog that says what is wrong with it', async () => {
    const { client } = renderApp('#/files');
    const left = await screen.findByRole('region', { name: 'Left pane' });
    const row = (await within(left).findByText('train.py')).closest('[role="row"]');
    if (!(row instanceof HTMLElement)) throw new Error('there is no row');
    await fireEvent.click(row);
    await fireEvent.keyDown(row, { key: 'F2' });
    const input = await screen.findByLabelText('Name');
    await fireEvent.input(input, { target: { value: 'a/b' } });
    await screen.findByText('A name cannot hold “/”.');
    await fireEvent.input(input, { target: { value: 'run.py' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Rename' }));
    await within(left).findByText('run.py');
    await client.api.files.info({ place: here, path: '/home/mio/run.py' });
  });
});
