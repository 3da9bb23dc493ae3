// Renders the whole app, or a part of it, on a fake core.
import './jsdom.ts';
import { cleanup, configure, render, type RenderResult } from '@testing-library/svelte';
import { afterEach, beforeAll } from 'vitest';
import Root from '../../../src-renderer/app/Root.svelte';
import { fetchPage } from '../../../src-renderer/app/page-code.ts';
import { routes } from '../../../src-renderer/app/routes.ts';
import {
  createFakeClient,
  type FakeClient,
  type FakeOptions,
} from '../../../src-renderer/lib/fake/fake-client.ts';

// A loaded machine is slow; what never comes is found out all the same.
configure({ asyncUtilTimeout: 8000 });
// Pages are compiled before the tests, not in their time.
beforeAll(async () => {
  await Promise.all(routes.map(({ address }) => fetchPage(address)));
}, 240_000);
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
