/** Words of the log view. */
export const logs = {
  label: 'Output of the task',
  stream: 'Which output',
  both: 'Both',
  search: 'Search the output',
  previous: 'Previous match',
  next: 'Next match',
  times: 'Times before lines',
  follow: 'Follow',
  more: 'More about the output',
  fromStart: 'Show from the beginning',
  fromEnd: 'Show only the end',
  saveOut: 'Save stdout as a file',
  saveErr: 'Save stderr as a file',
  notStarted: 'It has not started yet. Its output will appear here.',
  nothing: 'Nothing was printed.',
} as const;
