import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import Inbox from '@lucide/svelte/icons/inbox';
import BottomPanel from '../../src-renderer/app/BottomPanel.svelte';
import NodeCount from '../../src-renderer/app/status/NodeCount.svelte';
import { routeOf, routes } from '../../src-renderer/app/routes.ts';
import { createFakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { App } from '../../src-renderer/state/app.svelte.ts';
import { BottomPanel as PanelState } from '../../src-renderer/state/bottom-panel.svelte.ts';
import { Registry } from '../../src-renderer/state/registry.svelte.ts';
import { KeyReader } from '../../src-renderer/state/shortcuts.ts';
import WithApp from '../../src-renderer/gallery/WithApp.svelte';
import { renderApp } from './support/app.ts';

afterEach(() => vi.restoreAllMocks());

const press = (key: string, modifiers: KeyboardEventInit = {}): KeyboardEvent =>
  new KeyboardEvent('keydown', { key, ...modifiers });

test('an address has one page, and the most particular one is looked at first', () => {
  const app = new App(createFakeClient());
  const titleOf = (...path: string[]) => routeOf(path, app)?.path.join('/');
  expect(titleOf()).toBe('');
  expect(titleOf('nodes')).toBe('nodes');
  expect(titleOf('nodes', 'alpha', 'gpus')).toBe('nodes/:ref/*');
  expect(titleOf('tasks', 'new')).toBe('tasks/new');
  expect(titleOf('tasks', 'eval-mmlu')).toBe('tasks/:ref/*');
  expect(titleOf('tasks', 'new', 'deeper')).toBe('tasks/:ref/*');
  expect(titleOf('nowhere')).toBeUndefined();
  // What a table could get wrong: a page that an earlier one hides.
  for (const route of routes) {
    const path = route.path.filter((part) => part !== '*').map((part) => part.replace(':', 'x-'));
    expect(routeOf(path, app)).toBe(route);
  }
});

test('a registry keeps order, gives back what was added, and refuses a taken id', () => {
  const registry = new Registry<{ id: string; order?: number }>();
  const end = registry.add({ id: 'late', order: 5 }, { id: 'first' }, { id: 'second' });
  registry.add({ id: 'middle', order: 1 });
  expect(registry.items.map(({ id }) => id)).toEqual(['first', 'second', 'middle', 'late']);
  expect(() => registry.add({ id: 'late' })).toThrow('registered already');
  end();
  expect(registry.items.map(({ id }) => id)).toEqual(['middle']);
});

test('a page that breaks says so, and the rest of the app goes on', async () => {
  vi.spyOn(globalThis, 'reportError').mockImplementation(() => undefined);
  const { client } = renderApp('#/tasks');
  await screen.findByRole('button', { name: /^Theme/ });
  client.api.config.list = () => {
    throw new TypeError('a page met something it cannot show');
  };
  window.location.hash = '#/settings';
  await screen.findByText(/a page met something it cannot show/);
  expect(screen.getByRole('link', { name: /^Tasks/ })).toBeTruthy();
  window.location.hash = '#/nodes';
  await screen.findByText('old-faithful');
});

test('the bottom panel is there only while somebody has a tab, and keeps its height', async () => {
  const app = new App(createFakeClient());
  render(WithApp, { app, component: BottomPanel });
  expect(screen.queryByRole('region', { name: 'Bottom panel' })).toBeNull();
  const end = app.panel.addTab({ id: 'one', title: 'One', icon: Inbox, component: NodeCount });
  app.panel.addTab({ id: 'two', title: 'Two', icon: Inbox, component: NodeCount });
  expect(app.panel.isOpen).toBe(false);
  app.panel.open('two');
  const tab = await screen.findByRole('tab', { name: 'Two' });
  expect(tab.getAttribute('aria-selected')).toBe('true');
  await fireEvent.keyDown(tab, { key: 'ArrowRight' });
  expect(app.panel.active).toBe('one');
  const before = app.panel.height;
  await fireEvent.keyDown(screen.getByRole('separator'), { key: 'ArrowUp' });
  expect(app.panel.height).toBeGreaterThan(before);
  expect(new PanelState().height).toBe(app.panel.height);
  end();
  expect(app.panel.active).toBe('two');
});

test('keys are read one by one and in pairs, and a slow pair is none', () => {
  const keys = new KeyReader();
  expect(keys.read(press('g'), 0)).toEqual(['g']);
  expect(keys.read(press('n'), 500)).toEqual(['g n', 'n']);
  expect(keys.read(press('x'), 9_000)).toEqual(['x']);
  expect(keys.read(press('K', { ctrlKey: true }), 9_001)).toEqual(['x Mod+K', 'Mod+K']);
  expect(keys.read(press('Shift'), 9_002)).toEqual([]);
});

test('a new task is one key away, but not while somebody types', async () => {
  renderApp('#/nodes');
  await screen.findByText('old-faithful');
  await fireEvent.keyDown(document.body, { key: 'c' });
  await waitFor(() => expect(window.location.hash).toBe('#/tasks/new'));
  const field = (await screen.findAllByRole('textbox'))[0]!;
  await fireEvent.keyDown(field, { key: 'c' });
  expect(window.location.hash).toBe('#/tasks/new');
});
