import { release, type } from 'node:os';
import type { CoreStatus } from '../../contract/procedures.ts';
import type { ElectronApi } from './electron-api.ts';

export interface DiagnosticFacts {
  app: Pick<ElectronApi['app'], 'getGPUFeatureStatus' | 'getPath' | 'isPackaged'>;
  version: string;
  dataDir: string;
  coreName: string;
  /** Of the core that is shown; undefined while it is out of reach. */
  status: CoreStatus | undefined;
  keychain: string;
}

/** What is worth knowing when something is wrong, in lines to read and to copy. No secrets, no names of tasks. */
export function diagnosticsOf(facts: DiagnosticFacts): { label: string; value: string }[] {
  const { app, version, dataDir, coreName, status, keychain } = facts;
  const { electron, chrome, node } = process.versions as Partial<Record<string, string>>;
  const megabytes = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return [
    { label: 'Version', value: `${version}${app.isPackaged ? '' : ' (from a checkout)'}` },
    { label: 'Runs on', value: `${type()} ${release()} ${process.arch}` },
    {
      label: 'Built on',
      value: `Electron ${electron ?? 'none'}, Chromium ${chrome ?? 'none'}, Node ${node ?? 'none'}`,
    },
    { label: 'Data', value: dataDir },
    { label: 'Secrets of this app', value: keychain },
    { label: 'Memory of the main process', value: `${String(megabytes)} MiB` },
    { label: 'Core shown', value: coreWords(coreName, status) },
    {
      label: 'Longest hold of its main thread',
      value:
        status === undefined
          ? 'unknown'
          : `${String(status.eventLoopDelayMs)} ms in the last minute`,
    },
    { label: 'Graphics', value: graphicsWords(app.getGPUFeatureStatus()) },
    { label: 'Crash dumps', value: app.getPath('crashDumps') },
  ];
}

function coreWords(name: string, status: CoreStatus | undefined): string {
  if (status === undefined) return `${name}, not connected`;
  return `${name}, ${status.version} on ${status.hostname} (${status.host}, PID ${String(status.pid)})`;
}

function graphicsWords(features: object): string {
  return Object.entries(features)
    .map(([feature, state]) => `${feature}: ${String(state)}`)
    .join(', ');
}
