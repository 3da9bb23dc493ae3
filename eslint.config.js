import eslint from '@eslint/js';
import globals from 'globals';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// Rules that a tool checks, as far as they need no types: those that do are oxlint's (.oxlintrc.json), whose
// native type checker takes a tenth of the time. What is switched off carries its reason beside it.
const ours = {
  '@typescript-eslint/consistent-type-imports': 'error',
  // `using _x = …` holds something open; a leading underscore says that the name is not read.
  '@typescript-eslint/no-unused-vars': [
    'error',
    { varsIgnorePattern: '^_', argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
  ],
  'no-console': 'error',
  'no-empty': ['error', { allowEmptyCatch: false }],
  'max-params': ['error', 3],
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  complexity: ['error', 12],
};

// Time and chance are handed in, so that the core can run in simulated time.
const handedIn = [
  { object: 'Date', property: 'now', message: 'Take a Clock.' },
  { object: 'Math', property: 'random', message: 'Take a Random.' },
];
const handedInGlobals = ['setTimeout', 'setInterval', 'performance'].map((name) => ({
  name,
  message: 'Take Timers or a Clock.',
}));

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'coverage/',
      'release/',
      'test-results/',
      '.cache/',
      '.dependency-cruiser.cjs',
    ],
  },
  eslint.configs.recommended,
  tseslint.configs.strict,
  tseslint.configs.stylistic,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.node,
      parserOptions: { extraFileExtensions: ['.svelte'] },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: ours,
  },
  {
    files: ['src-renderer/**'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: tseslint.parser, svelteConfig },
    },
    rules: {
      'svelte/button-has-type': 'error',
      // Server data lives in `$state.raw` and is replaced, never mutated.
      'svelte/prefer-svelte-reactivity': 'off',
      // A component's script is one function to this rule.
      'max-lines-per-function': 'off',
    },
  },
  {
    files: ['src-main/domain/**', 'src-main/services/**'],
    rules: {
      'no-restricted-properties': ['error', ...handedIn],
      'no-restricted-globals': ['error', ...handedInGlobals],
    },
  },
  {
    // A test is a story: its length and its literals are not the point.
    files: ['test/**'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      'max-params': 'off',
      complexity: 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  // Programs for a terminal speak through the console.
  {
    files: ['scripts/**', 'test/bench/**', 'test/testbed/**', 'src-main/hosts/cli/**'],
    rules: { 'no-console': 'off' },
  },
);
