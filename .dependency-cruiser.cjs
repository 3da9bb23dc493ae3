// The dependency rule of the house: contract ← domain ← {store, link} ← runtimes ← services ← api ← core ← hosts.
// An arrow may skip steps leftwards and never goes right.
const rooms = ['contract', 'domain', 'store', 'link', 'runtimes', 'services', 'api', 'hosts'];
const room = (name) => `^src-main/${name}/`;
const core = '^src-main/core[a-z-]*[.]ts$';

/** What each room must not import from src-main. */
const forbidden = {
  contract: rooms.filter((r) => r !== 'contract'),
  domain: rooms.filter((r) => !['contract', 'domain'].includes(r)),
  store: rooms.filter((r) => !['contract', 'domain', 'store'].includes(r)),
  link: rooms.filter((r) => !['contract', 'domain', 'link'].includes(r)),
  runtimes: ['store', 'services', 'api', 'hosts'],
  services: ['api', 'hosts'],
  api: ['hosts'],
};

/** Each third-party library has one place that may import it. */
const libraries = [
  ['electron', '^src-main/hosts/electron/'],
  ['ssh2', '^src-main/link/ssh/'],
  ['ssh-config', '^src-main/link/ssh/'],
  ['dockerode', '^src-main/runtimes/docker/'],
  ['better-sqlite3', '^src-main/store/'],
  ['tar-stream', '^src-main/store/'],
  ['yaml', '^src-main/store/'],
  ['node-pty', '^src-main/link/local/'],
  ['fastify', '^src-main/hosts/server/'],
  ['@fastify', '^src-main/hosts/server/'],
  ['ws', '^src-main/hosts/(server|cli|electron)/'],
  ['commander', '^src-main/hosts/cli/'],
  ['ignore', '^src-main/domain/transfers/'],
  ['pino', '^src-main/(core|hosts/)'],
  ['pino-roll', '^src-main/(core|hosts/)'],
  // The sample client of the gallery and of tests checks its answers against the contract.
  // The desktop app has a small contract of its own for its page.
  [
    '@orpc',
    '^src-main/(contract|api)/|^src-main/hosts/electron/desktop-router[.]ts|^src-renderer/lib/fake/',
  ],
  ['electron-updater', '^src-main/hosts/electron/'],
  // The core keeps what terminals look like; the renderer shows them.
  ['@xterm/headless', '^src-main/services/terminals/'],
  ['@xterm/addon-serialize', '^src-main/services/terminals/'],
  ['@xterm/(?!headless|addon-serialize)[a-z0-9-]+', '^src-renderer/'],
  ['bits-ui', '^src-renderer/'],
  ['uplot', '^src-renderer/'],
  ['@codemirror', '^src-renderer/lib/'],
  ['papaparse', '^src-renderer/lib/files/'],
];

module.exports = {
  forbidden: [
    ...Object.entries(forbidden).map(([from, to]) => ({
      name: `${from}-looks-left`,
      severity: 'error',
      from: { path: room(from) },
      to: { path: [...to.map(room), ...(from === 'hosts' ? [] : [core])] },
    })),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'renderer-knows-the-contract-only',
      severity: 'error',
      from: { path: '^src-renderer/' },
      to: { path: '^src-main/', pathNot: room('contract') },
    },
    {
      name: 'renderer-knows-no-node',
      severity: 'error',
      from: { path: '^src-renderer/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'contract-runs-anywhere',
      severity: 'error',
      from: { path: room('contract') },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'main-knows-no-renderer',
      severity: 'error',
      from: { path: '^src-main/' },
      to: { path: '^(src-renderer|test|scripts)/' },
    },
    {
      name: 'docker-and-process-are-neighbours',
      severity: 'error',
      from: { path: '^src-main/runtimes/([^/]+)/' },
      to: { path: '^src-main/runtimes/([^/]+)/', pathNot: '^src-main/runtimes/$1/' },
    },
    {
      name: 'runtimes-are-handed-a-link',
      severity: 'error',
      from: { path: room('runtimes') },
      to: { path: '^src-main/link/(ssh|local)/' },
    },
    ...libraries.map(([name, path]) => ({
      name: `one-room-for-${name.replace('@', '')}`,
      severity: 'error',
      from: { path: '^src-', pathNot: path },
      to: { path: `node_modules/${name}(/|$)` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: ['^src-main/', '^src-renderer/', 'node_modules'],
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.svelte', '.json', '.css'],
    },
  },
};
