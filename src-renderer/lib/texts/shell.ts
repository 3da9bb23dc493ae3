/** Words of the shell: sidebar, status bar, palette, toasts. */
export const shell = {
  app: 'KohakuRiver',
  skip: 'Skip to the content',
  navigation: 'Main',
  pages: {
    overview: 'Overview',
    nodes: 'Nodes',
    gpus: 'GPUs',
    tasks: 'Tasks',
    newTask: 'New task',
    diagnostics: 'Diagnostics',
    settings: 'Settings',
  },
  loading: 'The page is on its way',
  status: 'Status',
  panel: {
    label: 'Bottom panel',
    resize: 'Height of the bottom panel',
    maximise: 'Give the panel the window',
    restore: 'Back to its own height',
    close: 'Close the panel',
    toggle: 'Show or hide the bottom panel',
  },
  search: 'Search or run…',
  connection: {
    connected: 'Connected',
    connecting: 'Reconnecting…',
    closed: 'Disconnected',
  },
  offlineBanner:
    'The core does not answer. Work on the nodes goes on; what is shown here is from before.',
  retry: 'Try now',
  theme: { label: 'Theme', system: 'As the system', light: 'Light', dark: 'Dark' },
  notFound: {
    title: 'There is no such page',
    text: 'The address may be from another version.',
    back: 'Go to the overview',
  },
  palette: {
    title: 'Commands',
    placeholder: 'Go to a page, node or task, or do something…',
    empty: 'Nothing answers to this.',
    groups: { actions: 'Actions', pages: 'Go to', nodes: 'Nodes', tasks: 'Tasks' },
    submit: 'New task',
    addNode: 'Add a node',
    themeTo: { system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' },
  },
} as const;
