// Builds everything that runs in Node or Electron's main process: dist/main, ES modules. Every `*-worker.ts`
// is an entry of its own: worker threads are started by file name.
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { defineConfig } from 'vite';

const root = import.meta.dirname;

/** Programs: what they are called in dist/main, and where they start. */
const programs = {
  'electron-main': 'src-main/hosts/electron/main.ts',
  serve: 'src-main/hosts/server/serve.ts',
  cli: 'src-main/hosts/cli/main.ts',
};

function entries(): Record<string, string> {
  const found: Record<string, string> = { ...programs };
  for (const file of globSync('src-main/**/*-worker.ts', { cwd: root })) {
    const name = basename(file, '.ts');
    if (name in found)
      throw new Error(`Two workers are called ${name}; in a build they would be one.`);
    found[name] = file;
  }
  return found;
}

/**
 * Packages of many small modules, which every command would search for and read one by one: built in. The
 * others stay outside: they have native parts, start files of their own, or are loaded by the core alone.
 */
const builtIn = ['zod', 'commander', 'ws', 'ignore', 'yaml', 'pino-roll', 'date-fns', /^@orpc\//];

export default defineConfig({
  root,
  publicDir: false,
  ssr: { noExternal: builtIn },
  build: {
    ssr: true,
    outDir: 'dist/main',
    // The preload is built into the same folder; scripts/build.ts empties it.
    emptyOutDir: false,
    target: 'node22',
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      input: entries(),
      external: ['electron'],
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name]-[hash].js',
      },
    },
  },
});
