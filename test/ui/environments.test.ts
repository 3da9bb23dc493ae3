import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { renderApp } from './support/app.ts';

test('an environment is begun, saved and brought to nodes', async () => {
  const { client } = renderApp('#/environments');
  await screen.findByText('torch-lab');
  await fireEvent.click(screen.getByRole('button', { name: 'New environment' }));
  const form = within(await screen.findByRole('dialog', { name: 'New environment' }));
  await fireEvent.input(form.getByLabelText('Name'), { target: { value: 'No Way' } });
  expect(form.getByRole('button', { name: 'Begin' })).toHaveProperty('disabled', true);
  await fireEvent.input(form.getByLabelText('Name'), { target: { value: 'jax' } });
  await fireEvent.input(form.getByLabelText('Image to begin with'), {
    target: { value: 'debian:12' },
  });
  await fireEvent.submit(document.querySelector('#environment-form')!);
  await screen.findByRole('heading', { name: 'jax' });
  await screen.findByText('Open to work in');

  await fireEvent.click(screen.getByRole('button', { name: 'Save a version' }));
  await screen.findByRole('dialog', { name: 'Save a version of jax' });
  await fireEvent.submit(document.querySelector('#save-version')!);
  await screen.findByText(/^Saved as kohakuriver\/jax:base-/);

  let asked: unknown;
  client.api.environments.distribute = (input: unknown) => {
    asked = input;
    return Promise.resolve([]);
  };
  await fireEvent.click(await screen.findByRole('button', { name: 'Bring to nodes' }));
  const nodes = within(await screen.findByRole('dialog', { name: 'Bring jax to nodes' }));
  await fireEvent.click(nodes.getByLabelText('beta'));
  await fireEvent.click(nodes.getByRole('button', { name: 'Bring' }));
  const [version] = (await client.api.environments.get({ environment: 'jax' })).versions;
  const beta = client.core.node('beta')!.id;
  await waitFor(() =>
    expect(asked).toEqual({ environment: 'jax', nodes: [beta], version: version!.id }),
  );
});

test('a Dockerfile that failed shows why and what it printed', async () => {
  renderApp('#/environments/whisper');
  await screen.findByRole('heading', { name: 'whisper' });
  await screen.findByText(/returned 100/);
  await screen.findByText(/Unable to locate package ffmpg/);
  await fireEvent.click(screen.getByRole('button', { name: 'Begin again…' }));
  const again = within(await screen.findByRole('dialog', { name: 'Begin whisper again' }));
  again.getByDisplayValue(/RUN apt-get install -y ffmpg/);
  expect(screen.queryByRole('button', { name: 'Save a version' })).toBeNull();
});

test('what moves shows how much of it, and can be cancelled', async () => {
  renderApp('#/environments/torch-lab');
  const panel = within(await screen.findByRole('region', { name: 'On the way' }));
  panel.getByText('256 MiB of 410 MiB');
  panel.getByText('1 layer sent, 8 there before');
  await fireEvent.click(panel.getByRole('button', { name: 'Cancel' }));
  await panel.findByText('Cancelled');
});
