/** Words of the images of a node. */
export const images = {
  title: 'Images',
  table: 'Table of images',
  note: 'What lies on its disk for containers.',
  none: 'No images yet. They come with the first task that names one.',
  noName: 'without a name',
  kinds: {
    environment: 'environment',
    snapshot: 'snapshot',
    'left-snapshot': 'snapshot of a VPS that is gone',
  },
  unused: 'nothing',
  more: (count: number) => `and ${count} more`,
  columns: { name: 'Image', size: 'Size', made: 'Made', users: 'Used by', orders: 'Orders' },
  remove: 'Remove',
  removeTitle: (name: string) => `Remove ${name}?`,
  removeText: 'Who names it later waits for it to be pulled again.',
  inUse: 'Something uses it.',
  kept: {
    environment: 'A version of an environment: it is let go on the page Environments.',
    snapshot: 'A snapshot of a VPS: it is let go on the page of the VPS.',
  },
  pull: {
    action: 'Pull…',
    title: (node: string) => `Pull an image to ${node}`,
    text: 'With the account that is kept for its registry in Settings, where there is one.',
    reference: 'Image',
    hint: 'Such as debian:12 or registry.example:5000/team/image:1.',
    submit: 'Pull',
    cancel: 'Cancel the pull',
    starting: 'Asking the registry…',
    done: (reference: string) => `${reference} is there.`,
  },
  prune: {
    action: 'Prune…',
    title: (node: string) => `Remove unused images of ${node}`,
    text: 'Environments and snapshots stay, and whatever a container was made from or a task waits for.',
    unused: 'Also those with a name',
    none: 'There is nothing to remove.',
    frees: (amount: string) => `frees ${amount}`,
    confirm: (count: number, amount: string) =>
      count === 0 ? 'Remove' : `Remove ${count}, free ${amount}`,
    done: (count: number) =>
      count === 1 ? 'One image was removed.' : `${count} images were removed.`,
  },
} as const;
