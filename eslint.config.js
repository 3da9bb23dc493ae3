import eslint from '@eslint/js';
import globals from 'globals';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// Rules that a tool checks. What is switched off carries its reason beside it.
const ours = {
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true },
  ],
  '@typescript-eslint/consistent-type-imports': 'error',
  // Numbers and booleans read well in template texts; objects do not.
  '@typescript-eslint/restrict-template-expressions': [
    'error',
    { allowNumber: true, allowBoolean: true },
  ],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  // Index signatures are reached by ['…'] (noPropertyAccessFromIndexSignature); the two rules would fight.
  '@typescript-eslint/dot-notation': 'off',
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
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.node,
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: ours,
  },
  {
    files: ['src-renderer/**'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: false,
        project: ['tsconfig.renderer.json'],
        parser: tseslint.parser,
        svelteConfig,
      },
    },
    rules: {
      'svelte/button-has-type': 'error',
      // Server data lives in `$state.raw` and is replaced, never mutated.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // A component's script is one function to this rule.
      'max-lines-per-function': 'off',
    },
  },
  {
    // Runes are only globals with types: read as they stand on the disk, these share one program.
    files: ['src-renderer/**/*.svelte.ts'],
    languageOptions: { parser: tseslint.parser },
  },
  {
    // svelte-check types components. To lint one with types as well, the whole program is made anew for
    // each: three quarters of a lint run.
    files: ['**/*.svelte'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false, project: null } },
  },
  {
    files: ['src-main/domain/**', 'src-main/services/**'],
    rules: {
      'no-restricted-properties': ['error', ...handedIn],
      'no-restricted-globals': ['error', ...handedInGlobals],
    },
  },
  {
    // A test is a story: its length and its literals are not the point. The compiler checks its types;
    // lint with types would double the time of the whole run.
    files: ['test/**'],
    extends: [tseslint.configs.disableTypeChecked],
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
  { files: ['*.js', '*.config.ts'], extends: [tseslint.configs.disableTypeChecked] },
);
