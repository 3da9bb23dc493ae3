import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import LongestFirst from './scripts/test/sequencer.ts';

// unit, unit-services: no network, no real timers. ui: components with a fake client, in jsdom.
// integration: real sshd, Docker Engine, SQLite. e2e: a real browser on a real core. electron: real
// Electron, where it is. Each file has testbeds, ports and directories of its own; most wait for machines half
// of their time, hence three at a time on two processors.
// Real machines under a loaded host are late now and then: CI tries such a test again and says so
// («retry x1» beside its name); locally a failure is a failure.
const retry = process.env['CI'] === 'true' ? 2 : 0;
/** What is waited for ends a wait; how long it may take on a busy machine is nothing a test promises. */
const patience = { testTimeout: 120_000, expect: { poll: { timeout: 45_000 } } };
const slow = {
  ...patience,
  // Each look costs a browser or a core more than it costs a test to learn of it a little later.
  expect: { poll: { ...patience.expect.poll, interval: 150 } },
  retry,
  maxWorkers: 3,
  hookTimeout: 180_000,
};

/** Some of these replace Node's own modules, for themselves only. */
const inVirtualTime = 'test/unit/services/**/*.test.ts';

export default defineConfig({
  test: {
    teardownTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts'],
          exclude: [inVirtualTime],
          environment: 'node',
          maxWorkers: 2,
          // They share no state: a worker loads what they use once, not once for each file.
          isolate: false,
          ...patience,
        },
      },
      {
        test: {
          name: 'unit-services',
          include: [inVirtualTime],
          environment: 'node',
          maxWorkers: 2,
          ...patience,
        },
      },
      {
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: {
          name: 'ui',
          include: ['test/ui/**/*.test.ts'],
          environment: 'jsdom',
          ...slow,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          environment: 'node',
          ...slow,
        },
      },
      {
        test: {
          name: 'electron',
          include: ['test/electron/**/*.test.ts'],
          environment: 'node',
          ...slow,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], environment: 'node', ...slow } },
    ],
  },
});
