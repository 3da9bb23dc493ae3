import type { VpsView } from '../../../contract/vps.ts';
import { formatDuration } from '../../../domain/duration.ts';
import { formatBytes } from '../../../domain/size.ts';
import { clean } from './clean.ts';
import { labelsText } from './node-text.ts';
import { taskTones, type Paint } from './style.ts';
import { formatPairs, formatTable, type TableLook } from './table.ts';
import { ago, localTime } from './time.ts';

export function vpsTable(
  vpses: readonly VpsView[],
  { look, now }: { look: TableLook; now: number },
): string {
  return formatTable(
    [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'ID', cell: ({ id }) => id },
      { title: 'STATUS', cell: (vps) => statusText(vps, look.paint) },
      { title: 'NODE', cell: placeText },
      { title: 'CORES', cell: ({ cores }) => String(cores), align: 'right' },
      {
        title: 'MEMORY',
        cell: ({ memoryBytes }) => (memoryBytes === null ? '' : formatBytes(memoryBytes)),
        align: 'right',
      },
      { title: 'SSH', cell: ({ ssh }) => sshWords[ssh.state] },
      { title: 'UP', cell: (vps) => upText(vps, now), align: 'right' },
      { title: 'IMAGE', cell: ({ image }) => clean(image ?? ''), canShrink: true },
    ],
    vpses,
    look,
  );
}

/** Everything about one VPS. */
export function vpsText(vps: VpsView, { paint, now }: { paint: Paint; now: number }): string {
  const when = (at: number | null): string =>
    at === null ? '' : `${localTime(at)} (${ago(at, now)})`;
  const { ssh, health, snapshots } = vps;
  return formatPairs(
    [
      ['Name', vps.name],
      ['ID', vps.id],
      ['Status', statusText(vps, paint)],
      ['Reason', clean(vps.reason ?? '')],
      ['Node', placeText(vps)],
      ['Made from', clean(vps.image ?? '')],
      ['Container', vps.container],
      ['Address', clean(health?.ip ?? '')],
      ['Limits', limitsText(vps)],
      ['Ports', portsText(vps)],
      ['Mounts', clean(vps.mounts.map((one) => `${one.source}:${one.destination}`).join(' '))],
      ['Variables', clean([...Object.keys(vps.env), ...vps.secretEnvNames].join(' '))],
      ['SSH', `${sshWords[ssh.state]} (${ssh.mode})`],
      ['SSH problem', clean(ssh.problem ?? '')],
      ['SSH key', clean([ssh.keyFingerprint, ssh.identityFile].filter(Boolean).join(' '))],
      ['Host key', clean(ssh.hostKeyFingerprint ?? '')],
      ['Restarts', restartsText(vps)],
      ['Snapshots', policyText(snapshots)],
      ['Snapshot problem', clean(vps.snapshotProblem ?? '')],
      ['Labels', clean(labelsText(vps.labels))],
      ['Owner', clean(vps.owner)],
      ['Created', when(vps.submittedAt)],
      ['Started', when(vps.startedAt)],
      ['Stopped', when(vps.stoppedAt)],
      ['Warnings', clean(vps.warnings.join(' '))],
    ],
    paint,
  );
}

const sshWords = {
  off: 'off',
  waiting: 'not yet',
  'setting-up': 'setting up',
  ready: 'ready',
  failed: 'failed',
} as const;

function statusText(vps: VpsView, paint: Paint): string {
  const wishes = { stop: 'stopping', restart: 'restarting', remove: 'being removed' };
  const beside = [
    ...(vps.wish === null ? [] : [wishes[vps.wish]]),
    ...(vps.health?.isCrashLooping === true ? ['crashing again and again'] : []),
    ...(vps.phase === null ? [] : [clean(vps.phase)]),
    ...(vps.busy === null ? [] : [clean(vps.busy)]),
  ];
  const status = paint(taskTones[vps.status], vps.status);
  return beside.length === 0 ? status : `${status} (${beside.join(', ')})`;
}

function placeText({ node, gpus }: VpsView): string {
  if (node === null) return '';
  return gpus.length === 0 ? node : `${node}::${gpus.map(({ index }) => index).join(',')}`;
}

function upText({ status, startedAt }: VpsView, now: number): string {
  const isUp = status === 'RUNNING' || status === 'PAUSED';
  return isUp && startedAt !== null ? formatDuration(now - startedAt) : '';
}

function limitsText({ cores, memoryBytes, gpuRequest }: VpsView): string {
  return [
    cores === 0 ? 'all cores' : `${String(cores)} cores`,
    memoryBytes === null ? 'memory without limit' : formatBytes(memoryBytes),
    ...(gpuRequest === null ? [] : [`${String(gpuRequest.count)} GPUs`]),
  ].join(', ');
}

/** What is published now, or else what was asked for. */
function portsText({ health, ports }: VpsView): string {
  const shown = health?.ports ?? [];
  if (shown.length > 0) {
    return shown
      .map((one) => `${one.address}:${String(one.host)}->${String(one.container)}/${one.protocol}`)
      .join(' ');
  }
  return ports.map(({ container, protocol }) => `${String(container)}/${protocol}`).join(' ');
}

function restartsText({ health }: VpsView): string {
  if (health === null || health.restarts === 0) return '';
  const code =
    health.lastExitCode === null ? '' : `, last with exit code ${String(health.lastExitCode)}`;
  return `${String(health.restarts)} by its Engine${code}`;
}

function policyText({ beforeStop, beforeRemove, keep }: VpsView['snapshots']): string {
  const when = [
    ...(beforeStop ? ['before it stops'] : []),
    ...(beforeRemove ? ['before it is removed'] : []),
  ];
  const kept = keep === 0 ? 'all are kept' : `the newest ${String(keep)} are kept`;
  return `${when.length === 0 ? 'by hand' : when.join(' and ')}; ${kept}`;
}
