// Where the page finds its core: a MessagePort handed over by the desktop host's preload, or a
// WebSocket to the server the page came from. In the desktop host there is a second port, to the
// app itself.
import { desktopContract, type DesktopContract } from '../../src-main/contract/desktop.ts';
import {
  createReconnectingClient,
  reconnect,
  type ReconnectingClient,
} from '../../src-main/contract/reconnecting-client.ts';
import { messagePort } from '../../src-main/contract/wire/message-port.ts';
import {
  desktopMark,
  isPageWord,
  pageWords,
  type DesktopMark,
  type PortEnd,
} from '../../src-main/contract/wire/page-words.ts';
import type { WirePort } from '../../src-main/contract/wire/port.ts';
import { openWebSocketPort } from '../../src-main/contract/wire/websocket-port.ts';
import type { CoreClient } from './client.ts';
import { takeSocket } from './early-socket.ts';

/** What the app needs of the desktop host it runs in. */
export type DesktopClient = Pick<ReconnectingClient<DesktopContract>, 'api' | 'feed'>;

const portPatienceMs = 10_000;

/** What the desktop host put on the window before any script ran; undefined in a browser. */
function markOfDesktop(): DesktopMark | undefined {
  return desktopMark in window ? (window[desktopMark] as DesktopMark) : undefined;
}

/** Asks the host for a port and waits for it. Rejects when none comes. */
function receivePort(to: PortEnd): Promise<WirePort> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener('message', onMessage);
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`The desktop app gave this window no connection to the ${to}.`));
    }, portPatienceMs);
    const onMessage = (event: MessageEvent): void => {
      const port = event.ports[0];
      const { data } = event as MessageEvent<unknown>;
      // Only this window itself (its preload) may hand over a port.
      if (event.source !== window || !isPageWord(data, pageWords.port) || data.to !== to) return;
      if (port === undefined) return;
      done();
      resolve(messagePort(port));
    };
    window.addEventListener('message', onMessage);
    window.postMessage({ type: pageWords.wanted, to }, window.location.origin);
  });
}

async function openSocket(): Promise<WirePort> {
  try {
    return await openWebSocketPort(takeSocket());
  } catch (error) {
    await askForLinkIfSignedOut();
    throw error;
  }
}

/**
 * A page is not told why its WebSocket was refused. Where its session is gone, trying again is of no
 * use: the server's own page says how to get a new link.
 */
async function askForLinkIfSignedOut(): Promise<void> {
  try {
    const answer = await fetch('/', { method: 'HEAD', cache: 'no-store' });
    if (answer.status === 401) window.location.reload();
  } catch {
    // No answer: the core is away, and may be back.
  }
}

/** Connects to the core this page belongs to, and again whenever the link is lost. */
export function connectToCore(): CoreClient {
  const open = markOfDesktop() === undefined ? openSocket : () => receivePort('core');
  const client = createReconnectingClient({ open });
  window.addEventListener('online', () => client.reconnectNow());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && client.state === 'connecting')
      client.reconnectNow();
  });
  return client;
}

/** Connects to the desktop app around this page; undefined in a browser. */
export function connectToDesktop(): DesktopClient | undefined {
  if (markOfDesktop() === undefined) return undefined;
  return reconnect({ open: () => receivePort('desktop') }, desktopContract);
}

/** The path of a file that was dropped on the page or chosen in it; undefined in a browser. */
export function pathOfFile(file: File): string | undefined {
  const path = markOfDesktop()?.pathOf(file);
  return path === '' ? undefined : path;
}
