// Renders the whole app, or a part of it, on a fake core.
import './jsdom.ts';
import { cleanup, render, type RenderResult } from '@testing-library/svelte';
import { afterEach } from 'vitest';
import Root from '../../../src-renderer/app/Root.svelte';
import {
  createFakeClient,
  type FakeClient,
  type FakeOptions,
} from '../../../src-renderer/lib/fake/fake-client.ts';

afterEach(() => {
  cleanup();
  localStorage.clear();
});

/** The app at an address such as `#/tasks`. */
export function renderApp(
  hash: string,
  options: FakeOptions = {},
): RenderResult<typeof Root> & { client: FakeClient } {
  window.location.hash = hash;
  const client = createFakeClient(options);
  return Object.assign(render(Root, { client }), { client });
}
