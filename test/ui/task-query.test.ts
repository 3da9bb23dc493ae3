import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import {
  chipsOf,
  filterOf,
  queryOf,
  readTyped,
  sortOf,
} from '../../src-renderer/lib/task-query.ts';
import { createFakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { SubmitForm } from '../../src-renderer/state/submit-form.svelte.ts';
import { renderApp } from './support/app.ts';

test('a filter and its address say the same', () => {
  const filter = filterOf({
    status: 'failed',
    text: 'sweep',
    owner: 'anna',
    label: 'team=a=b',
    batch: '123',
    node: '77',
    sort: 'name',
  });
  expect(filter).toEqual({
    statuses: ['FAILED', 'KILLED_OOM', 'REJECTED'],
    text: 'sweep',
    owner: 'anna',
    label: { key: 'team', value: 'a=b' },
    batchId: '123',
    nodeId: '77',
  });
  const query = queryOf(filter, 'name');
  expect(query['status']).toBe('failed');
  expect(filterOf(query)).toEqual(filter);
  expect(sortOf(query)).toBe('name');
  const several = queryOf({ statuses: ['RUNNING', 'LOST'] }, 'newest');
  expect(several).toEqual({ status: 'running,lost' });
  expect(filterOf(several)).toEqual({ statuses: ['RUNNING', 'LOST'] });
});

test('what is no filter in an address is left out', () => {
  expect(filterOf({ status: '__proto__', batch: 'x; DROP', label: '=', sort: 'toString' })).toEqual(
    {},
  );
  expect(sortOf({ sort: 'constructor' })).toBe('newest');
});

test('filters can be typed, and become chips once they are ended', () => {
  expect(readTyped('owner:an')).toEqual({ text: 'owner:an', query: {} });
  expect(readTyped('lr owner:anna ')).toEqual({ text: 'lr ', query: { owner: 'anna' } });
  expect(readTyped('status:lost label:a=b ').query).toEqual({ status: 'lost', label: 'a=b' });
  expect(readTyped('status:nonsense ')).toEqual({ text: 'status:nonsense ', query: {} });
  expect(chipsOf({ status: 'failed', owner: 'anna' }).map(({ label }) => label)).toEqual([
    'Owner: anna',
  ]);
  expect(chipsOf({ status: 'lost,running' }).map(({ key }) => key)).toEqual(['status']);
});

test('a view is kept under a name, used again, and its removal can be undone', async () => {
  renderApp('#/tasks?owner=mio');
  await screen.findByRole('button', { name: 'Remove the filter Owner: mio' });
  const menu = async () =>
    fireEvent.keyDown(await screen.findByRole('button', { name: 'Views' }), { key: 'Enter' });
  await menu();
  await fireEvent.click(await screen.findByRole('menuitem', { name: 'Save as…' }));
  const dialog = await screen.findByRole('dialog');
  await fireEvent.input(within(dialog).getByLabelText('Name'), { target: { value: 'Mine' } });
  await fireEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
  await screen.findByText('Saved «Mine»');
  await fireEvent.click(screen.getByRole('button', { name: 'Remove the filter Owner: mio' }));
  await waitFor(() => expect(window.location.hash).toBe('#/tasks'));
  await menu();
  await fireEvent.click(await screen.findByRole('menuitem', { name: 'Mine' }));
  await waitFor(() => expect(window.location.hash).toBe('#/tasks?owner=mio'));
  await menu();
  await fireEvent.click(await screen.findByRole('menuitem', { name: 'Remove some…' }));
  await fireEvent.click(await screen.findByRole('button', { name: 'Remove «Mine»' }));
  await fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
  await screen.findByRole('button', { name: 'Remove «Mine»' });
}, 90_000);

test('a template keeps the names of secrets and never their values', () => {
  const form = new SubmitForm(createFakeClient());
  form.workKind = 'script';
  form.script = 'cd /work && make';
  form.cores = '4';
  form.secretEnv = [{ key: 'TOKEN', value: 'hunter2' }];
  const template = form.template();
  expect(JSON.stringify(template)).not.toContain('hunter2');
  form.cores = 'many';
  expect(form.template()).toBeUndefined();
  const other = new SubmitForm(createFakeClient());
  other.useTemplate(template!);
  expect(other.script).toBe('cd /work && make');
  expect(other.cores).toBe('4');
  expect(other.secretEnv).toEqual([{ key: 'TOKEN', value: '' }]);
});

test('what just happened is said in the corner and kept by the bell', async () => {
  const { client } = renderApp('#/');
  const bell = await screen.findByRole('button', { name: 'Notices, 2 unread' });
  client.notices.tell({ title: 'night-run is done', text: 'It ran for 3h.' });
  await screen.findByText('night-run is done');
  await screen.findByRole('button', { name: 'Notices, 3 unread' });
  await fireEvent.click(bell);
  const list = await screen.findByRole('dialog', { name: 'Notices' });
  within(list).getByText('It ran for 3h.');
  await fireEvent.click(within(list).getByRole('button', { name: 'Mark all as read' }));
  await screen.findByRole('button', { name: 'Notices, none unread' });
  await fireEvent.click(within(list).getByRole('button', { name: 'Remove all' }));
  await within(list).findByText('Nothing has happened that you have to know.');
}, 90_000);

test('settings are found by words, and the sheet of shortcuts by its key', async () => {
  renderApp('#/settings');
  const search = await screen.findByRole('searchbox', { name: 'Search the settings' });
  await fireEvent.input(search, { target: { value: 'grace kill' } });
  await screen.findByLabelText('Grace before SIGKILL');
  await waitFor(() => expect(screen.queryByLabelText('Port of the web interface')).toBeNull());
  await fireEvent.keyDown(document.body, { key: '?' });
  const sheet = await screen.findByRole('dialog', { name: 'Keyboard shortcuts' });
  within(sheet).getByText('Next row');
  within(sheet).getByText('New task');
}, 90_000);
