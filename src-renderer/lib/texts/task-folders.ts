export const folders = {
  title: 'Files',
  atStart: 'put there when it starts',
  there: 'put there before it started',
  atEnd: 'brought back when it has ended',
  seeHistory: 'the history says what came of it',
  sync: {
    title: 'Put on the node before the start',
    hint: 'As the folder is then; .gitignore counts. A container sees it under the same path.',
    add: 'Add a folder to put there',
    from: { label: 'folder of the core’s computer', placeholder: '/home/me/project' },
    to: { label: 'folder of the node', placeholder: '/srv/project' },
  },
  fetch: {
    title: 'Bring back after the end',
    hint: 'However it ended. {id} and {index} stand for the task and its number in an array.',
    add: 'Add a folder to bring back',
    from: { label: 'folder of the node', placeholder: '/srv/results' },
    to: { label: 'folder of the core’s computer', placeholder: '/home/me/results' },
  },
} as const;
