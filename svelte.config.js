import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** Compiler settings shared by vite, svelte-check and the tests: runes only. */
export default {
  preprocess: vitePreprocess({ script: false, style: false }),
  compilerOptions: { runes: true },
  // Third-party components decide for themselves.
  vitePlugin: {
    dynamicCompileOptions: ({ filename }) =>
      filename.includes('node_modules') ? { runes: undefined } : undefined,
  },
};
