/** Words of forwards and of SSH by name. */
export const forwards = {
  title: 'Forwards',
  add: 'Forward a port',
  addTo: (place: string) => `Forward a port of ${place}`,
  none: 'No port of it is forwarded.',
  empty: {
    title: 'No ports are forwarded',
    text: 'A forward brings a port of a node, a VPS or a container to this computer: a notebook, a dashboard, a database. It is remembered, and opens again by itself after the link was gone.',
  },
  states: { open: 'Open', waiting: 'Waiting', paused: 'Paused', failed: 'Failed' },
  kinds: {
    tcp: 'Port to here',
    udp: 'UDP port to here',
    reverse: 'Port to there',
    socks: 'SOCKS proxy',
  },
  kindTexts: {
    tcp: 'What listens there is reached at this computer.',
    udp: 'Datagrams go there and back, through a small program on the node: it needs perl or python3.',
    reverse: 'What listens on this computer is reached on the node.',
    socks: 'Programs here that use the proxy see the network of the node.',
  },
  reads: {
    tcp: (port: number, place: string) => `port ${port} of ${place}`,
    udp: (port: number, place: string) => `UDP port ${port} of ${place}`,
    udpShort: (port: number) => `its UDP port ${port}`,
    /** For the shorter lines of one place. */
    tcpShort: (port: number) => `its port ${port}`,
    via: (host: string, port: number, place: string) => `${host}:${port} as ${place} sees it`,
    reverse: (port: number, place: string) => `port ${port} of ${place}`,
    socks: (place: string) => `the network of ${place}`,
  },
  orders: {
    open: 'Open in the browser',
    copy: 'Copy the address',
    pause: 'Pause',
    resume: 'Resume',
    remove: 'Remove',
  },
  traffic: (up: string, down: string) => `↑ ${up}  ↓ ${down}`,
  trafficWords: (up: string, down: string) => `${up} sent, ${down} received since the core started`,
  form: {
    place: 'Where',
    port: 'Port there',
    portHint: 'Such as 8888',
    reversePort: 'Port there to listen on',
    localPort: 'Port on this computer',
    localPortHint: 'Empty: the same one, or a free one',
    reverseLocalHint: 'Empty: the same one',
    host: 'Host',
    hostHint: 'As the node sees it. Empty: the place itself',
    isShared: 'Others on my network may use it too',
    sharedNote:
      'It listens at every address of the core’s computer, and asks nobody for a password.',
    portProblem: 'From 1 to 65535.',
    submit: 'Forward',
    noPlaces: 'Nothing is online to forward from.',
    more: 'More',
  },
  count: (count: number) => (count === 1 ? '1 forward' : `${count} forwards`),
  broken: (count: number) => `${count} not open`,
} as const;

export const openSsh = {
  copy: 'Copy SSH command',
  copied: (command: string) => `Copied: ${command}`,
  refused: 'The browser does not allow copying; the command is shown on the page.',
  command: 'SSH command',
  openIn: 'Open in VS Code',
  hint: 'scp, rsync and git know it by the same name. Its host keys are checked.',
  elsewhere: (host: string) =>
    `The core runs on ${host}: there, ssh reaches it by name after “kohakuriver ssh-config --write”.`,
  include: {
    title: 'Let your SSH configuration know of it?',
    text: (file: string) =>
      `VS Code reads ${file}. This line is added at its top; what the file is now is kept beside it, as ${file}.before-kohakuriver.`,
    confirm: 'Add the line and open',
  },
} as const;
