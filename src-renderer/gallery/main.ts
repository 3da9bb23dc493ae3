// The gallery: every component in its states, or with `?app=<variant>` the whole app on a fake core.
import { mount } from 'svelte';
import { z } from 'zod';
import '../app/fonts.ts';
import '../app/tokens.css';
import '../app/base.css';
import { routes } from '../app/routes.ts';
import Root from '../app/Root.svelte';
import { createFakeClient } from '../lib/fake/fake-client.ts';
import { createFakeDesktop } from '../lib/fake/fake-desktop.ts';
import { fakeVariants, type FakeVariant } from '../lib/fake/fake-core.ts';
import Gallery from './Gallery.svelte';

z.config({ jitless: true });
// For whoever takes pictures of every page there is.
Object.assign(window, { galleryRoutes: routes.map(({ path }) => path.join('/')) });

const query = new URLSearchParams(window.location.search);
const theme = query.get('theme');
if (theme !== null) localStorage.setItem('kohakuriver.theme', theme);
const asked = query.get('app');
const variant: FakeVariant | undefined = fakeVariants.find((each) => each === asked);
const target = document.getElementById('app');
if (target === null) throw new Error('The page has no place for the gallery.');

if (variant === undefined) {
  // `?theme=dark` shows that one alone, with all that opens over it.
  const themes = (['light', 'dark'] as const).filter((each) => theme === null || theme === each);
  if (theme !== null) document.documentElement.dataset['theme'] = theme;
  mount(Gallery, { target, props: { client: createFakeClient(), themes } });
} else {
  const client = createFakeClient({ variant });
  if (theme !== null) void client.api.config.set({ key: 'ui.theme', value: theme });
  // `&desktop` shows it as the desktop app does.
  const desktop = query.has('desktop') ? createFakeDesktop() : undefined;
  mount(Root, { target, props: { client, desktop } });
}
