import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import { protocolError } from '../../src-main/contract/wire/protocol-error.ts';
import { renderApp } from './support/app.ts';

const click = (element: HTMLElement) => fireEvent.click(element);

test('the overview of a first start leads to the first task in one click', async () => {
  const { client } = renderApp('#/', { variant: 'first' });
  await click(await screen.findByRole('button', { name: 'Run a first task here' }));
  await waitFor(() => expect(window.location.hash).toMatch(/^#\/tasks\/\d+$/));
  expect(client.core.tasks[0]).toMatchObject({ name: 'first-task', runtime: 'process' });
});

test('without nodes the pages lead to the first one', async () => {
  renderApp('#/nodes', { variant: 'empty' });
  await screen.findByText('No nodes yet');
  await click(screen.getAllByRole('button', { name: 'Add a node' })[0]!);
  await screen.findByRole('dialog', { name: 'Add a node' });
});

test('says who uses a GPU that is not ours, and crosses out what is ill', async () => {
  renderApp('#/');
  await screen.findByRole('button', {
    name: /beta GPU 0: Used by anna \(python3, PID 3312\), outside of the queue/,
  });
  await screen.findByRole('button', { name: /gamma GPU 3: GPU 3 reported Xid 79/ });
  await screen.findByRole('button', { name: /alpha GPU 6: Held by diffusion-sweep-07/ });
});

test('marks what starts next, which is never what is on hold', async () => {
  renderApp('#/');
  const mark = await screen.findByText('Starts next');
  expect(within(mark.closest('a')!).getByText('llama-finetune-r4')).toBeTruthy();
});

test('a waiting task says why, and goes on hold and back', async () => {
  const { client } = renderApp('#/tasks/whisper-batch');
  await screen.findByText(/1 is used by anna \(PID 3312\) outside the queue/);
  await click(screen.getByRole('button', { name: 'Hold' }));
  await click(await screen.findByRole('button', { name: 'Release' }));
  await waitFor(() => expect(client.core.task('whisper-batch')?.held).toBe(false));
});

test('killing asks first and says what is lost', async () => {
  const { client } = renderApp('#/tasks/eval-mmlu');
  await click(await screen.findByRole('button', { name: 'Kill' }));
  const dialog = await screen.findByRole('dialog', { name: 'Kill this task?' });
  expect(dialog.textContent).toContain('What it has not saved is lost');
  await click(within(dialog).getByRole('button', { name: 'Kill' }));
  await waitFor(() => expect(client.core.task('eval-mmlu')?.status).toBe('KILLED'));
});

test('secret variables are named and never shown', async () => {
  renderApp('#/tasks/llama-finetune-r3');
  await screen.findByText('WANDB_API_KEY=');
  await screen.findByText('kept secret');
});

test('removing a node with work on it needs a second word', async () => {
  const { client } = renderApp('#/nodes/alpha/tasks');
  await fireEvent.keyDown(await screen.findByRole('button', { name: 'More for this node' }), {
    key: 'Enter',
  });
  await click(await screen.findByRole('menuitem', { name: 'Remove…' }));
  const dialog = await screen.findByRole('dialog', { name: 'Remove alpha?' });
  expect(dialog.textContent).toContain('2 tasks still hold something there');
  const button = within(dialog).getByRole('button', { name: 'Remove' });
  expect((button as HTMLButtonElement).disabled).toBe(true);
  await click(within(dialog).getByRole('checkbox'));
  await click(button);
  await waitFor(() => expect(client.core.node('alpha')).toBeUndefined());
});

test('a wrong setting says so at its field, and a right one is stored', async () => {
  const { client } = renderApp('#/settings');
  const field = await screen.findByLabelText('Grace before SIGKILL');
  await fireEvent.input(field, { target: { value: '99999' } });
  await fireEvent.blur(field);
  await waitFor(() => expect(field.getAttribute('aria-invalid')).toBe('true'));
  await fireEvent.input(field, { target: { value: '20' } });
  await fireEvent.blur(field);
  await waitFor(async () =>
    expect((await client.api.config.get({ key: 'tasks.killGraceSeconds' })).value).toBe(20),
  );
  await screen.findByRole('button', { name: 'Back to the default: Grace before SIGKILL' });
});

test('what the environment sets cannot be changed here and says so', async () => {
  renderApp('#/settings');
  const field = await screen.findByLabelText<HTMLInputElement>('Port of the web interface');
  expect(field.disabled).toBe(true);
  await screen.findByText('set by the environment');
});

test('a lost core is told after a moment, and the page stays', async () => {
  const { client } = renderApp('#/nodes');
  await screen.findByText('old-faithful');
  client.setState('connecting');
  await screen.findByText('Reconnecting…');
  await waitFor(() => screen.getByRole('button', { name: 'Try now' }), { timeout: 4000 });
  screen.getByText('old-faithful');
  client.setState('connected');
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Try now' })).toBeNull());
});

test('a core that is slow, or of another version, spoils only what asked it', async () => {
  const { client } = renderApp('#/');
  await screen.findByRole('heading', { name: 'Overview' });
  const { list } = client.api.images;
  client.api.images.list = () => new Promise(() => undefined);
  window.location.hash = '#/nodes/alpha/images';
  const again = await screen.findByRole('button', { name: 'Look again' });
  expect((again as HTMLButtonElement).disabled).toBe(true);
  await screen.findByRole('heading', { name: 'alpha' });

  window.location.hash = '#/nodes';
  await screen.findByText('old-faithful');
  client.api.images.list = () =>
    Promise.reject(protocolError('The answer to images.list was not of the agreed form.'));
  window.location.hash = '#/nodes/alpha/images';
  const problem = within(await screen.findByRole('alert'));
  problem.getByText('The app and the core do not understand each other');
  problem.getByText(/^Reload the page/);
  client.api.images.list = list;
  await click(problem.getByRole('button', { name: 'Try again' }));
  await screen.findByRole('region', { name: 'Table of images' });
});

test('the theme is shown at once, kept for the next start, and given to the core', async () => {
  const { client } = renderApp('#/');
  await click(await screen.findByRole('button', { name: /^Theme: As the system/ }));
  expect(document.documentElement.dataset['theme']).toBe('light');
  await vi.waitFor(async () =>
    expect((await client.api.config.get({ key: 'ui.theme' })).value).toBe('light'),
  );
  expect(localStorage.getItem('kohakuriver.theme')).toBe('light');
  localStorage.clear();
});

test('an unknown task and an unknown page say so and lead back', async () => {
  const { unmount } = renderApp('#/tasks/123456789');
  await screen.findByText('There is no such task');
  unmount();
  renderApp('#/nowhere');
  await screen.findByText('There is no such page');
});
