// Files taken out of the app: by the browser's own downloads where the page comes from a server, into
// the Downloads folder where the desktop app runs the core on this computer.
import type { FileEntryView, FilePlace } from '../../../src-main/contract/files.ts';
import { filesDownloadPath } from '../../../src-main/contract/files.ts';
import type { App } from '../../state/app.svelte.ts';

export type DownloadWay = 'browser' | 'desktop' | 'none';

export interface Downloaded {
  readonly place: FilePlace;
  readonly paths: readonly string[];
}

export function downloadWay({ desktop }: App): DownloadWay {
  if (desktop === undefined) return 'browser';
  return desktop.current?.id === 'here' ? 'desktop' : 'none';
}

/** One file as it is; anything else as an archive. JSON keeps names that are no text whole. */
export function downloadUrl({ place, paths }: Downloaded, isArchive = false): string {
  const what = JSON.stringify({ place, paths, isArchive });
  return `${filesDownloadPath}?what=${encodeURIComponent(what)}`;
}

/** Begins it; the browser, or the list of transfers, shows how far it is. */
export async function startDownload(
  app: App,
  order: Downloaded & { readonly chosen: readonly FileEntryView[] },
): Promise<void> {
  const { place, paths, chosen } = order;
  if (paths.length === 0) return;
  if (downloadWay(app) === 'desktop') {
    await app.files.copy({ place, paths }, { place: { kind: 'here' }, path: '~/Downloads' });
    return;
  }
  const isPlain = chosen.length === 1 && chosen[0]?.kind === 'file';
  const link = document.createElement('a');
  link.href = downloadUrl({ place, paths }, !isPlain);
  link.download = '';
  link.click();
}
