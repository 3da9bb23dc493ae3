import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { addressOf, thereText, webAddress } from '../../src-renderer/lib/forward-words.ts';
import { richForwards } from '../../src-renderer/lib/fake/fake-forwards.ts';
import { codeLink, sshCommand } from '../../src-renderer/lib/open-ssh.ts';
import { renderApp } from './support/app.ts';

test('what a forward is and where it is reached, in words', () => {
  const [notebook, board, socks, database] = richForwards(0);
  expect(thereText(notebook!, true)).toBe('its port 8888');
  expect(thereText(notebook!, false)).toBe('port 8888 of anna-dev on alpha');
  expect(thereText(database!, true)).toBe('db.lab:5432 as old-faithful sees it');
  expect(webAddress(notebook!)).toBe('http://127.0.0.1:8888/');
  expect(webAddress(board!)).toBeUndefined();
  expect(webAddress(socks!)).toBeUndefined();
  expect(addressOf(socks!)).toBe('socks5h://127.0.0.1:1080');
  const shared = { ...notebook!, spec: { ...notebook!.spec, bind: '0.0.0.0' } };
  expect(addressOf(shared)).toBe('127.0.0.1:8888');
  const six = { ...notebook!, spec: { ...notebook!.spec, bind: '::1' } };
  expect(webAddress(six)).toBe('http://[::1]:8888/');
});

test('the SSH command names our file until the user’s own includes it', () => {
  const access = {
    alias: 'kr-anna',
    configFile: '/data/my ssh/config',
    userConfigFile: '/home/a/.ssh/config',
    isIncluded: false,
    includeLine: '',
  };
  expect(sshCommand(access)).toBe(`ssh -F '/data/my ssh/config' kr-anna`);
  expect(sshCommand({ ...access, isIncluded: true })).toBe('ssh kr-anna');
  expect(codeLink('kr-anna')).toBe('vscode://vscode-remote/ssh-remote+kr-anna/root');
});

test('a port of a VPS is forwarded on its page, paused, and removed', async () => {
  const { client } = renderApp('#/vps/anna-dev');
  await screen.findByRole('heading', { name: 'anna-dev' });
  const panel = within(screen.getByRole('region', { name: 'Forwards' }));
  await panel.findByText('its port 8888');
  await fireEvent.click(panel.getByRole('button', { name: 'Forward a port' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Forward a port' }));
  const port = dialog.getByLabelText('Port there');
  await fireEvent.input(port, { target: { value: '99999' } });
  await dialog.findByText('From 1 to 65535.');
  const submit = dialog.getByRole('button', { name: 'Forward' });
  expect(submit).toHaveProperty('disabled', true);
  await fireEvent.input(port, { target: { value: '7860' } });
  await waitFor(() => expect(submit).toHaveProperty('disabled', false));
  await fireEvent.submit(document.querySelector('#add-forward')!);
  const row = (await panel.findByText('its port 7860')).closest('li')!;
  expect(within(row).getByRole('link', { name: 'Open in the browser' })).toMatchObject({
    href: 'http://127.0.0.1:7860/',
    rel: 'noopener noreferrer',
  });
  await fireEvent.click(within(row).getByRole('button', { name: 'Pause' }));
  await within(row).findByText('Paused');
  expect(within(row).queryByRole('link')).toBeNull();
  await fireEvent.click(within(row).getByRole('button', { name: 'Remove' }));
  await waitFor(() => expect(panel.queryByText('its port 7860')).toBeNull());
  expect((await client.api.forwards.list()).map(({ localPort }) => localPort)).not.toContain(7860);
});

test('VS Code is opened only after the user agreed to the line in their configuration', async () => {
  const { client } = renderApp('#/vps/anna-dev');
  const asked: boolean[] = [];
  const { setUp } = client.api.ssh;
  client.api.ssh.setUp = (input, options) => {
    asked.push(input.mayInclude ?? false);
    return setUp(input, options);
  };
  await fireEvent.click(await screen.findByRole('button', { name: 'Open in VS Code' }));
  const dialog = within(
    await screen.findByRole('dialog', { name: 'Let your SSH configuration know of it?' }),
  );
  dialog.getByText(/^Include /);
  expect(asked).toEqual([false]);
  await fireEvent.click(dialog.getByRole('button', { name: 'Cancel' }));
  expect(asked).toEqual([false]);
});
