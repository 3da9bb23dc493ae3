// Builds the page both hosts serve: dist/renderer, relative addresses, nothing inline, so that it
// works under `app://` and HTTP with `script-src 'self'`. `--mode gallery` adds the gallery page.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const root = fileURLToPath(new URL('./src-renderer', import.meta.url));

export default defineConfig(({ mode }) => ({
  root,
  base: './',
  plugins: [svelte({ configFile: fileURLToPath(new URL('./svelte.config.js', import.meta.url)) })],
  build: {
    outDir: fileURLToPath(
      new URL(mode === 'gallery' ? './dist/gallery' : './dist/renderer', import.meta.url),
    ),
    emptyOutDir: true,
    target: 'es2023',
    // `light-dark()` must reach the browser as it is: the theme switch is `color-scheme`.
    cssTarget: ['chrome125', 'firefox125', 'safari18'],
    // Fonts and icons as files: the page's policy has no `data:` for them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input:
        mode === 'gallery' ? { gallery: `${root}/gallery.html` } : { index: `${root}/index.html` },
    },
  },
}));
