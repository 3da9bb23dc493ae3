// What to tell a person about errors of environments.
export const environmentsAdvice = {
  'not-found/environment': {
    title: 'There is no such environment or version',
    todo: 'It may have been removed. Look for it in Environments.',
  },
  'environment/in-use': {
    title: 'It is in use',
    todo: 'Remove or change what is named first. Nothing was removed.',
  },
  'environment/no-build': {
    title: 'It is not being made anywhere',
    todo: 'Begin it again, from an image or a Dockerfile.',
  },
  'environment/not-ready': {
    title: 'It is not ready yet',
    todo: 'Look at how far it is on its page, and try again.',
  },
  'environment/not-delivered': {
    title: 'It could not be brought to a node',
    todo: 'Look at its deliveries; bringing it again sends only what is missing.',
  },
} as const;
