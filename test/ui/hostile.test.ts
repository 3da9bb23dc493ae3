// What a node or another person controls is data: it never becomes markup, and never breaks a page.
import { screen, waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { routes } from '../../src-renderer/app/routes.ts';
import type { FakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { renderApp } from './support/app.ts';

const hostile =
  '<img src=x data-hostile onerror=alert(1)>"\'`</script>\u001b[2J\u0007\u202eabc\u0000';

/** Puts hostile text wherever a node or a submitter can put text, in everything the core has. */
function poison({ core, notices }: FakeClient): void {
  for (const task of core.tasks.slice(0, 20)) {
    core.putTask({
      ...task,
      name: hostile,
      reason: hostile,
      phase: hostile,
      owner: hostile,
      image: hostile,
      labels: { team: hostile },
      env: { A: hostile },
      warnings: [hostile],
      work: { kind: 'command', argv: [hostile, hostile] },
    });
  }
  for (const node of core.nodes) core.putNode(poisoned(node));
  notices.tell({ title: hostile, text: hostile });
}

/** Every text in an object but those that say what it is. */
function poisoned<T>(value: T, key = ''): T {
  if (typeof value === 'string') {
    const isKept =
      /^(id|uuid|nodeId|taskId|state|kind|level|severity|code|vendor|name|status)$/.test(key);
    return (isKept ? value : hostile) as T;
  }
  if (Array.isArray(value)) return value.map((each: unknown) => poisoned(each, key)) as T;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, each]) => [name, poisoned(each, name)]);
    return Object.fromEntries(entries) as T;
  }
  return value;
}

const places = [
  ...routes
    .map(({ path }) =>
      path
        .filter((part) => part !== '*')
        .map((part) => (part === ':ref' ? 'alpha' : part))
        .join('/'),
    )
    .filter((path) => !path.includes(':') && path !== 'tasks/alpha'),
  'nodes/beta/gpus',
  'nodes/desk/findings',
];

test.each(places)(
  'hostile text on «/%s» is only text',
  async (path) => {
    const { client } = renderApp('#/');
    await screen.findByRole('button', { name: /^Theme/ });
    poison(client);
    window.location.hash = `#/${path}`;
    await screen.findByRole('heading', { level: 1 });
    await waitFor(() => expect(document.body.textContent).toContain('data-hostile'));
    expect(document.querySelector('[data-hostile]')).toBeNull();
    expect(document.querySelector('[onerror]')).toBeNull();
    // The page is there, not the word about one that broke.
    expect(document.querySelector('.fault')).toBeNull();
  },
  90_000,
);

test('hostile text of one task is only text', async () => {
  const { client } = renderApp('#/');
  await screen.findByRole('button', { name: /^Theme/ });
  poison(client);
  window.location.hash = `#/tasks/${client.core.tasks[0]!.id}`;
  await waitFor(() => expect(document.querySelector('h1')?.textContent).toContain('data-hostile'));
  expect(document.querySelector('[data-hostile]')).toBeNull();
  expect(document.querySelector('.fault')).toBeNull();
}, 90_000);
