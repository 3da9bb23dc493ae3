/** Words of the node pages. */
export const nodes = {
  title: 'Nodes',
  add: 'Add a node',
  views: { cards: 'Cards', table: 'Table' },
  empty: {
    title: 'No nodes yet',
    text: 'Any machine you can reach by SSH can be a node. Nothing is installed there: it needs sshd, and Docker for containers.',
  },
  columns: {
    name: 'Node',
    state: 'State',
    cpu: 'CPU',
    memory: 'Memory',
    gpus: 'GPUs',
    tasks: 'Tasks',
    os: 'System',
  },
  local: 'this computer',
  noGpus: 'no GPUs',
} as const;

/** Words of one node's page. */
export const node = {
  back: 'Nodes',
  unknown: { title: 'There is no such node', text: 'It may have been removed.', back: 'All nodes' },
  tabs: {
    use: 'Use',
    gpus: 'GPUs',
    tasks: 'Tasks',
    images: 'Images',
    forwards: 'Forwards',
    processes: 'Processes',
    facts: 'Facts',
    findings: 'Findings',
  },
  spans: { '1h': '1 hour', '2d': '2 days', '90d': '90 days' },
  orders: {
    drain: 'Drain',
    undrain: 'Take tasks again',
    disable: 'Disable',
    enable: 'Enable',
    reconnect: 'Connect now',
    rename: 'Rename',
    labels: 'Labels',
    remove: 'Remove',
    check: 'Check again',
  },
  drainHint: 'Drained: it takes nothing new; what runs goes on.',
  disableDialog: {
    title: (name: string) => `Disable ${name}?`,
    text: 'The connection is closed and nothing is watched there. Work on it goes on, unseen, until it is enabled again.',
  },
  removeDialog: {
    title: (name: string) => `Remove ${name}?`,
    idle: 'Its measurements and its password are deleted. Tasks that ran there stay in the history.',
    busy: (count: string) =>
      `${count} still hold something there. They are left running, unwatched, and will not end in the history. Their containers and files stay on the node.`,
    force: 'Remove it anyway and leave them behind',
  },
  renameDialog: {
    title: (name: string) => `Rename ${name}`,
    text: 'Its history goes with it. Targets in scripts need the new name.',
    label: 'Name',
  },
  labelsDialog: {
    title: (name: string) => `Labels of ${name}`,
    text: 'Tasks can ask for nodes by label.',
  },
  left: (what: string) => `Left behind: ${what}`,
  noMetrics: 'Nothing has been measured yet.',
  noTasks: 'No task is here.',
  noFindings: 'Nothing to mend.',
  noGpus: 'This node has no GPUs.',
  someTask: 'a task',
  gpuTable: 'Table of GPUs',
} as const;

/** Words of the processes of a node. */
export const processes = {
  title: 'Processes',
  table: 'Table of processes',
  note: 'the 200 busiest',
  filter: 'Filter by user or command',
  again: 'Look again',
  columns: {
    pid: 'PID',
    user: 'User',
    cpu: 'CPU',
    memory: 'Memory',
    started: 'Started',
    command: 'Command',
  },
} as const;

/** Words of the map of a node's processors, memory and GPUs. */
export const topology = {
  title: 'How it is built',
  note: 'GPUs are fastest for the cores and memory of their own NUMA node',
  one: 'One memory for all cores',
  numa: (id: number) => `NUMA node ${id}`,
  noGpus: 'no GPUs here',
  elsewhere: 'NUMA node not known',
} as const;

/** Words of the wizard that adds a node. */
export const addNode = {
  title: 'Add a node',
  steps: { host: 'Host', keys: 'Host key', result: 'What it is' },
  host: 'Host',
  hostHint: 'user@host:port, a name from your SSH configuration, or a whole ssh command',
  fromConfig: 'From your SSH configuration',
  known: 'added',
  more: 'Keys, password and jump hosts',
  identity: 'Identity file',
  identityHint: 'On the computer that runs the core. Empty: your agent and usual keys are tried.',
  passphrase: 'Passphrase of the key',
  password: 'Password',
  passwordHint: 'Kept in the vault. A key is better.',
  jumps: 'Jump hosts',
  jumpsHint: 'In order, like user@gate:22, with commas between',
  useConfig: 'Use ~/.ssh/config for what is not given here',
  ignored: (options: string) => `Not used: ${options}`,
  next: 'Connect',
  keysIntro: 'Compare each fingerprint with the host’s own, for instance by running this there:',
  keysCommand: 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
  keyStates: { known: 'known', new: 'not seen before', changed: 'CHANGED', revoked: 'REVOKED' },
  changedTitle: 'This is not the key that was seen before',
  changedText: (where: string) =>
    `Someone may be between you and the host. Nothing was sent to it. If the host was reinstalled, remove the old key (${where}) and try again.`,
  revokedTitle: 'This key was revoked',
  confirm: 'They are the same: connect',
  back: 'Back',
  name: 'Name',
  nameHint: 'What targets and pages call it',
  add: 'Add this node',
  added: (name: string) => `${name} is a node now`,
} as const;
