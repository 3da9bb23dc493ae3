// What needs a person: nodes out of reach, findings that are warnings or worse, tasks that are lost.
// The same trouble on many nodes is one alert.
import type { Finding, NodeView } from '../../src-main/contract/node.ts';
import type { CoreStatus } from './contract-types.ts';
import { plural } from './format.ts';
import { alerts as words } from './texts/overview.ts';

export interface Alert {
  id: string;
  level: 'error' | 'warning';
  title: string;
  detail: string;
  /** Where it is dealt with. */
  path: readonly string[];
  query?: Readonly<Record<string, string>>;
}

/** All alerts, the worst first. */
export function alertsOf(nodes: readonly NodeView[], core: CoreStatus | undefined): Alert[] {
  const all = [...coreAlerts(core), ...offline(nodes), ...findings(nodes)];
  return all.sort((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'));
}

function coreAlerts(core: CoreStatus | undefined): Alert[] {
  const found: Alert[] = [];
  const lost = core?.tasks.LOST ?? 0;
  if (core !== undefined && core.vault.state !== 'open') {
    found.push({
      id: 'vault',
      level: 'error',
      title: words.vault[core.vault.state],
      detail: words.vaultDetail,
      path: ['settings'],
    });
  }
  if (lost > 0) {
    found.push({
      id: 'lost',
      level: 'error',
      title: words.lost(plural(lost, 'task')),
      detail: words.lostDetail,
      path: ['tasks'],
      query: { status: 'lost' },
    });
  }
  return found;
}

function offline(nodes: readonly NodeView[]): Alert[] {
  const gone = nodes.filter(({ state }) => state === 'offline');
  const [first] = gone;
  if (first === undefined) return [];
  return [
    {
      id: 'offline',
      level: 'error',
      title: words.offline(namesOf(gone), gone.length),
      detail: gone.length === 1 ? (first.reason ?? '') : words.offlineMany,
      path: gone.length === 1 ? ['nodes', first.id] : ['nodes'],
    },
  ];
}

interface Grouped {
  finding: Finding;
  on: NodeView[];
}

function findings(nodes: readonly NodeView[]): Alert[] {
  const grouped = new Map<string, Grouped>();
  for (const node of nodes) {
    if (node.state !== 'online') continue;
    for (const finding of node.findings) {
      if (finding.level !== 'error' && finding.level !== 'warning') continue;
      const key = `${finding.level} ${finding.title}`;
      const group = grouped.get(key) ?? { finding, on: [] };
      group.on.push(node);
      grouped.set(key, group);
    }
  }
  return [...grouped].map(([key, { finding, on }]) => ({
    id: key,
    level: finding.level === 'error' ? 'error' : 'warning',
    title: `${namesOf(on)}: ${finding.title}`,
    detail: finding.detail ?? '',
    path: on.length === 1 && on[0] !== undefined ? ['nodes', on[0].id, 'findings'] : ['nodes'],
  }));
}

/** `alpha`, `alpha and beta`, `alpha, beta and 3 more`. */
function namesOf(nodes: readonly NodeView[]): string {
  const names = nodes.map(({ name }) => name);
  const [first = '', second = ''] = names;
  if (names.length < 3) return names.join(words.and);
  return `${first}, ${second}${words.and}${words.more(names.length - 2)}`;
}
