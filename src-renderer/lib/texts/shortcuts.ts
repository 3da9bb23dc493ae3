/** Words of the sheet of shortcuts. */
export const shortcutTexts = {
  title: 'Keyboard shortcuts',
  action: 'Show the keyboard shortcuts',
  groups: { anywhere: 'Anywhere', goTo: 'Go to', lists: 'In lists', form: 'In the form of a task' },
  palette: 'Search or run anything',
  search: 'Search on this page',
  lists: [
    { keys: 'j', label: 'Next row' },
    { keys: 'k', label: 'Row before' },
    { keys: 'Enter', label: 'Open it' },
    { keys: 'x', label: 'Select it' },
    { keys: 'Shift+↓', label: 'Select as far as here' },
    { keys: 'Escape', label: 'Select none' },
  ],
  form: [{ keys: 'Mod+Enter', label: 'Submit' }],
} as const;
