// Starts the app: policy-safe validation, looks, the link to the core, the page.
import { mount } from 'svelte';
import { z } from 'zod';
import './fonts.ts';
import './tokens.css';
import './base.css';
import { connectToCore, connectToDesktop } from '../lib/connect.ts';
import Root from './Root.svelte';

// The page's policy forbids making code from text, which zod would otherwise try.
z.config({ jitless: true });

const target = document.getElementById('app');
if (target === null) throw new Error('The page has no place for the app.');
mount(Root, { target, props: { client: connectToCore(), desktop: connectToDesktop() } });
