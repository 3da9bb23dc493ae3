/** Words of the settings page. */
export const settings = {
  title: 'Settings',
  search: 'Search the settings',
  noMatch: 'No setting answers to this.',
  more: 'More about how it feels: Diagnostics',
  origins: {
    flag: 'set by a flag',
    environment: 'set by the environment',
    file: 'changed',
    default: 'default',
  },
  reset: 'Back to the default',
  fixed: 'It stays as it is until the core starts without that.',
  needsRestart: 'Takes effect when the core starts again.',
  notSet: 'not set',
  about: 'About this core',
} as const;
