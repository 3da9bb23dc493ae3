import { File as ReadableFile } from 'node:buffer';
import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { renderApp } from './support/app.ts';

test('a snapshot is taken out as a file', async () => {
  renderApp('#/vps/anna-dev');
  const [link] = await screen.findAllByRole('link', { name: 'Export' });
  const what = new URL(link!.getAttribute('href')!, 'http://here').searchParams.get('what')!;
  expect(JSON.parse(what)).toEqual({
    vps: 'anna-dev',
    tag: expect.stringMatching(/^\d+$/) as unknown,
  });
  expect(link!.hasAttribute('download')).toBe(true);
});

test('a VPS is made of a file; one that is none says so and can be chosen again', async () => {
  renderApp('#/vps');
  await screen.findByText('anna-dev');
  await fireEvent.click(screen.getByRole('button', { name: 'Import…' }));
  const form = within(await screen.findByRole('dialog', { name: 'VPS from a file' }));
  const submit = form.getByRole('button', { name: 'Import' });
  expect(submit).toHaveProperty('disabled', true);
  const choose = (text: string) =>
    fireEvent.change(form.getByLabelText('File'), { target: { files: [fileOf(text)] } });
  await choose('something else');
  await fireEvent.click(submit);
  await form.findByText('This is not a snapshot');
  await fireEvent.input(form.getByLabelText(/^Name/), { target: { value: 'Not One' } });
  expect(submit).toHaveProperty('disabled', true);
  await fireEvent.input(form.getByLabelText(/^Name/), { target: { value: 'moved' } });
  await choose('kohakuriver');
  await fireEvent.click(submit);
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await screen.findByText('moved was made of the file.');
  await screen.findByText('moved');
});

test('images of a node are pulled, removed and pruned; what is in use or kept elsewhere is not', async () => {
  renderApp('#/nodes/alpha/images');
  const table = within(await screen.findByRole('region', { name: 'Table of images' }));
  const removal = (name: string) => table.getByRole('button', { name: `Remove ${name}` });
  expect(removal('kohakuriver/torch-lab:base')).toHaveProperty('disabled', true);
  await fireEvent.click(removal('debian:12'));
  await fireEvent.click(
    within(await screen.findByRole('dialog', { name: 'Remove debian:12?' })).getByRole('button', {
      name: 'Remove',
    }),
  );
  await waitFor(() => expect(table.queryByText('debian:12')).toBeNull());

  await fireEvent.click(screen.getByRole('button', { name: 'Pull…' }));
  const pull = within(await screen.findByRole('dialog', { name: 'Pull an image to alpha' }));
  await fireEvent.input(pull.getByLabelText('Image'), { target: { value: 'private/x:1' } });
  await fireEvent.submit(document.querySelector('#pull-image')!);
  await pull.findByText(/needs a login/);
  await fireEvent.input(pull.getByLabelText('Image'), { target: { value: 'alpine:3' } });
  await fireEvent.submit(document.querySelector('#pull-image')!);
  await table.findByText('alpine:3');

  await fireEvent.click(screen.getByRole('button', { name: 'Prune…' }));
  const prune = within(
    await screen.findByRole('dialog', { name: 'Remove unused images of alpha' }),
  );
  await fireEvent.click(await prune.findByRole('button', { name: /^Remove 1, free/ }));
  await waitFor(() => expect(table.queryByText('without a name')).toBeNull());
});

test('an account at a registry is kept when the registry says so', async () => {
  renderApp('#/settings');
  const panel = within(await screen.findByRole('region', { name: 'Registries' }));
  await panel.findByText('registry.lab.example:5000');
  await fireEvent.click(panel.getByRole('button', { name: 'Add an account' }));
  const form = within(await screen.findByRole('dialog', { name: 'Account at a registry' }));
  const fill = (label: string | RegExp, value: string) =>
    fireEvent.input(form.getByLabelText(label), { target: { value } });
  await fill('Registry', 'docker.io');
  await fill('Name', 'mio');
  await fill('Password or token', 'wrong');
  await fireEvent.submit(document.querySelector('#registry-account')!);
  await form.findByText('The registry does not let you in');
  await fill('Password or token', 'hunter2');
  await fireEvent.submit(document.querySelector('#registry-account')!);
  await panel.findByText('docker.io');
  expect(document.body.innerHTML).not.toContain('hunter2');
});

/** The one of jsdom cannot be read as a stream. */
function fileOf(text: string): File {
  return new ReadableFile([text], 'anna.snapshot.tar.gz') as unknown as File;
}
