// Everything a report of trouble needs, as text. Nothing of it is secret: the log has no inputs.
import type { DiagnosticsReport } from '../../../src-main/contract/diagnostics.ts';
import type { CoreLogLine } from '../../lib/core-log-lines.ts';
import type { CoreStatus } from '../../lib/contract-types.ts';
import { formatBytes, formatMoment } from '../../lib/format.ts';

interface Details {
  core: CoreStatus | undefined;
  report: DiagnosticsReport;
  lines: readonly CoreLogLine[];
}
/** The end of the log is what matters. */
const lastLines = 60;

export function detailsText({ core, report, lines }: Details): string {
  const { runtime, eventLoop, memory, kept } = report;
  const about =
    core === undefined
      ? []
      : [
          `KohakuRiver ${core.version}, ${core.host}, core ${core.coreId}`,
          `up since ${formatMoment(core.startedAt)}, ${sum(core.nodes)} nodes, ${sum(core.tasks)} tasks`,
        ];
  return [
    ...about,
    `Node ${runtime.node} on ${runtime.platform} ${runtime.arch}`,
    `main thread: median ${eventLoop.medianMs} ms, p99 ${eventLoop.p99Ms} ms, max ${eventLoop.maxMs} ms`,
    `memory: ${formatBytes(memory.rssBytes)}, heap ${formatBytes(memory.heapUsedBytes)}`,
    `kept: database ${formatBytes(kept.databaseBytes)}, task logs ${formatBytes(kept.taskLogBytes)}`,
    '',
    'Links',
    ...report.links.map(linkLine),
    '',
    'Log',
    ...lines.slice(-lastLines).map(logLine),
    '',
  ].join('\n');
}

function sum(counts: Readonly<Record<string, number | undefined>>): number {
  return Object.values(counts).reduce<number>((total, each) => total + (each ?? 0), 0);
}

function linkLine(link: DiagnosticsReport['links'][number]): string {
  const { name, state, roundTripMs, channels, drops, reason } = link;
  return [
    `${name}: ${state}`,
    ...(roundTripMs === null ? [] : [`${roundTripMs.toFixed(1)} ms`]),
    ...(channels === null
      ? []
      : [`${channels.sessions}/${channels.sessionLimit} sessions on ${channels.connections}`]),
    ...(drops === 0 ? [] : [`dropped ${drops} times`]),
    ...(reason === null ? [] : [reason]),
  ].join(', ');
}

function logLine({ at, level, message, context, more }: CoreLogLine): string {
  const head = `${at === null ? '' : `${formatMoment(at)} `}${level} ${message}`;
  return `${head}${context === '' ? '' : `  ${context}`}${more === null ? '' : `\n${more}`}`;
}
