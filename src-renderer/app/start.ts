// Starts the app: policy-safe validation, the link to the core, the page.
import { mount } from 'svelte';
import { z } from 'zod';
import { connectToCore, connectToDesktop } from '../lib/connect.ts';
import Root from './Root.svelte';

/** Puts the app where its outline stands. */
export function startApp(): void {
  // The page's policy forbids making code from text, which zod would otherwise try.
  z.config({ jitless: true });
  const target = document.getElementById('app');
  if (target === null) throw new Error('The page has no place for the app.');
  target.replaceChildren();
  mount(Root, { target, props: { client: connectToCore(), desktop: connectToDesktop() } });
}
