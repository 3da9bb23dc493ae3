// Builds the preload script: one CommonJS file, as a sandboxed window needs it.
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  build: {
    outDir: 'dist/main',
    emptyOutDir: false,
    target: 'chrome140',
    minify: false,
    lib: {
      entry: 'src-main/hosts/electron/preload.ts',
      formats: ['cjs'],
      fileName: () => 'preload.cjs',
    },
    rolldownOptions: { external: ['electron'] },
  },
});
