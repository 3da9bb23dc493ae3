/** Words of the registries in the settings. */
export const registries = {
  title: 'Registries',
  note: 'Used by every pull. Passwords stay in the vault of the core.',
  none: 'None. Images that anybody may have need no account.',
  add: 'Add an account',
  logout: 'Forget',
  logoutTitle: (host: string) => `Forget the account at ${host}?`,
  logoutText: 'Images that are on nodes already stay. New ones of this registry may not be had.',
  locked: 'the vault is locked',
  form: {
    title: 'Account at a registry',
    text: 'It goes to a node only together with what is pulled there, and is not written to its disk.',
    host: 'Registry',
    hostHint: 'Such as registry.example:5000; docker.io for Docker Hub.',
    username: 'Name',
    password: 'Password or token',
    verify: 'Ask the registry first',
    submit: 'Keep',
    done: (host: string, node: string | null) =>
      node === null ? `Kept for ${host}.` : `${host} lets you in, as ${node} sees it.`,
  },
} as const;
