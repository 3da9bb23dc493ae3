// The one script between the page and the app: hands the page a MessagePort whenever it asks for
// one, and tells the path of a file it was given; nothing else. Sandboxed: one CommonJS file,
// `electron` the only require.
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import {
  desktopMark,
  isPageWord,
  isPortEnd,
  pageWords,
  type DesktopMark,
} from '../../contract/wire/page-words.ts';
import { channels } from './names.ts';

const mark: DesktopMark = { pathOf: (file) => webUtils.getPathForFile(file) };
contextBridge.exposeInMainWorld(desktopMark, mark);

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  if (event.source === window && isPageWord(event.data, pageWords.wanted))
    ipcRenderer.send(channels.wireWanted, event.data.to);
});

ipcRenderer.on(channels.wirePort, (event, to: unknown) => {
  if (!isPortEnd(to)) return;
  window.postMessage({ type: pageWords.port, to }, window.location.origin, [...event.ports]);
});
