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

/** The one of jsdom cannot be read as a stream. */
function fileOf(text: string): File {
  return new ReadableFile([text], 'anna.snapshot.tar.gz') as unknown as File;
}
