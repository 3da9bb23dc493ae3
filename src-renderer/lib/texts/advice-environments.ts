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
  'not-found/image': {
    title: 'There is no such image',
    todo: 'It may have been removed. Look at the images of the node.',
  },
  'image/in-use': {
    title: 'Something uses this image',
    todo: 'Remove what is named first. Nothing was removed.',
  },
  'image/kept-elsewhere': {
    title: 'It is kept for an environment or a VPS',
    todo: 'Let it go on the page Environments, or on the page of the VPS.',
  },
  'not-found/registry': {
    title: 'Nothing is kept for this registry',
    todo: 'Look at the list of registries in Settings.',
  },
  'registry/denied': {
    title: 'The registry does not let you in',
    todo: 'Check the name and the password. Many registries want a token of theirs for a password.',
  },
  'registry/unreachable': {
    title: 'The registry cannot be asked',
    todo: 'Check its address, and whether the node that asks can reach it.',
  },
  'registry/no-node': {
    title: 'No node can ask the registry',
    todo: 'Add a node with Docker, or keep the password without asking.',
  },
} as const;
