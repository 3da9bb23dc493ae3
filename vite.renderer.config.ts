// Builds the page both hosts serve: dist/renderer, relative addresses, nothing inline, so that it
// works under `app://` and HTTP with `script-src 'self'`. `--mode gallery` adds the gallery page.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('./src-renderer', import.meta.url));

const startId = `${root}/app/start.ts`;
const mainId = `${root}/app/main.ts`;
/** What the app is made of beside its pages: one file, as all of it is wanted at once. */
const appModules = new Set<string>();

/**
 * What runs first is small and asks for the app: the page names the app's files as well, so that the
 * browser fetches them at once.
 */
function appInOnePiece(): Plugin {
  return {
    name: 'app-in-one-piece',
    buildEnd() {
      const closure = (from: string, found = new Set<string>()): Set<string> => {
        if (found.has(from)) return found;
        found.add(from);
        for (const id of this.getModuleInfo(from)?.importedIds ?? []) closure(id, found);
        return found;
      };
      const first = closure(mainId);
      for (const id of closure(startId)) if (!first.has(id)) appModules.add(id);
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle = {} }) =>
        Object.values(bundle)
          .filter(
            (file) => file.type === 'chunk' && file.moduleIds.some((id) => appModules.has(id)),
          )
          .map(({ fileName }) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `./${fileName}` },
            injectTo: 'head' as const,
          })),
    },
  };
}

/**
 * Beside each text file of the page its compressed form, for `serve`: over an SSH forward the page is
 * there in a third of the time.
 */
function compressed(): Plugin {
  return {
    name: 'compressed',
    // Of what was written: until then Vite itself still changes it.
    writeBundle({ dir = '' }, bundle) {
      for (const { fileName } of Object.values(bundle)) {
        if (!/\.(js|css)$/.test(fileName)) continue;
        const file = join(dir, fileName);
        writeFileSync(`${file}.gz`, zlib.gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

export default defineConfig(({ mode }) => ({
  root,
  base: './',
  plugins: [
    svelte({ configFile: fileURLToPath(new URL('./svelte.config.js', import.meta.url)) }),
    appInOnePiece(),
    ...(mode === 'gallery' ? [] : [compressed()]),
  ],
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
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [{ name: 'app', test: (id) => appModules.has(id) }],
        },
      },
    },
  },
}));
