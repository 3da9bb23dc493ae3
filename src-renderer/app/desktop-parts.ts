// What the desktop app adds to the shell: its list of cores, and ways to leave. In a browser nothing.
import Minimize2 from '@lucide/svelte/icons/minimize-2';
import Waves from '@lucide/svelte/icons/waves';
import { desktop as words } from '../lib/texts/desktop.ts';
import CoresOverlay from '../pages/cores/CoresOverlay.svelte';
import type { App } from '../state/app.svelte.ts';

export function addDesktopParts(app: App): () => void {
  const { desktop } = app;
  if (desktop === undefined) return () => undefined;
  const ends = [
    app.actions.add(
      {
        id: 'cores',
        label: words.cores.switchPalette,
        icon: Waves,
        order: 70,
        run: () => (desktop.isChoosingCore = true),
      },
      {
        id: 'keep-in-background',
        label: words.keepInBackground,
        icon: Minimize2,
        order: 85,
        run: () => void app.attempt(() => desktop.keepInBackground()),
      },
    ),
    app.overlays.add({ id: 'cores', component: CoresOverlay }),
  ];
  return () => ends.forEach((end) => end());
}
