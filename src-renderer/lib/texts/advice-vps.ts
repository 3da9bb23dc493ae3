// What to tell a person about errors of VPSes.
export const vpsAdvice = {
  'not-found/vps': {
    title: 'There is no such VPS',
    todo: 'It may have been removed or renamed. Look for it in VPS.',
  },
  'not-found/snapshot': {
    title: 'There is no such snapshot',
    todo: 'It may have been deleted, or let go because newer ones are kept. Look at the list.',
  },
  'vps/not-running': {
    title: 'This VPS does not run',
    todo: 'Start it, and try again.',
  },
  'vps/no-room': {
    title: 'There is no room for it now',
    todo: 'Wait, stop something on its node, or ask for less.',
  },
  'vps/no-ssh': {
    title: 'SSH does not work in this VPS',
    todo: 'Use a terminal of the app, or set SSH up again on the page of the VPS.',
  },
  'vps/ssh-setup': {
    title: 'SSH could not be set up inside',
    todo: 'Remove what is in the way, then set it up again. The VPS runs on without SSH.',
  },
  'vps/key-invalid': {
    title: 'This is not a public key',
    todo: 'Give the line of a file that ends in .pub, or choose a key of this computer.',
  },
  'vps/out-of-reach': {
    title: 'Its node cannot be reached',
    todo: 'Look at the node in Nodes. Work there goes on meanwhile.',
  },
  'snapshot/not-ours': {
    title: 'This is not a snapshot',
    todo: 'Choose a file that was made by the export of a snapshot; its name ends in .snapshot.tar.gz.',
  },
  'snapshot/newer': {
    title: 'The file is of a newer version',
    todo: 'Update the app, and import it again.',
  },
  'snapshot/damaged': {
    title: 'The file is damaged',
    todo: 'Copy or download it again from where it came. Nothing was kept of it.',
  },
  'snapshot/hostile': {
    title: 'The file holds what no snapshot holds',
    todo: 'Do not use it: it was changed after it was made. Nothing was kept of it.',
  },
  'snapshot/architecture': {
    title: 'It is for other processors',
    todo: 'Choose a node with the processors it was made on.',
  },
} as const;
