// The one script between the page and the app: marks the window, and hands the page a MessagePort
// to the core whenever it asks for one; nothing else. Sandboxed: one CommonJS file, `electron` the
// only require.
import { contextBridge, ipcRenderer } from 'electron';
import { desktopMark, pageWords } from '../../contract/wire/page-words.ts';
import { channels } from './names.ts';

contextBridge.exposeInMainWorld(desktopMark, 'electron');

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  if (event.source === window && isWish(event.data)) ipcRenderer.send(channels.wireWanted);
});

ipcRenderer.on(channels.wirePort, (event) => {
  window.postMessage({ type: pageWords.port }, window.location.origin, [...event.ports]);
});

function isWish(data: unknown): boolean {
  return (
    typeof data === 'object' && data !== null && 'type' in data && data.type === pageWords.wanted
  );
}
