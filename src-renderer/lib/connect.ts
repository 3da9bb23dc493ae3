// Where the page finds its core: a MessagePort handed over by the desktop host's preload, or a
// WebSocket to the server the page came from.
import { createReconnectingClient } from '../../src-main/contract/reconnecting-client.ts';
import { messagePort } from '../../src-main/contract/wire/message-port.ts';
import { desktopMark, pageWords } from '../../src-main/contract/wire/page-words.ts';
import type { WirePort } from '../../src-main/contract/wire/port.ts';
import { openWebSocketPort } from '../../src-main/contract/wire/websocket-port.ts';
import type { CoreClient } from './client.ts';

const portPatienceMs = 10_000;

/** Whether the page runs in the desktop host, which marks its window before any script runs. */
function isDesktop(): boolean {
  return desktopMark in window;
}

function isPortMessage(data: unknown): boolean {
  return (
    typeof data === 'object' && data !== null && 'type' in data && data.type === pageWords.port
  );
}

/** Asks the host for a port and waits for it. Rejects when none comes. */
function receivePort(): Promise<WirePort> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener('message', onMessage);
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error('The desktop app gave this window no connection to its core.'));
    }, portPatienceMs);
    const onMessage = (event: MessageEvent): void => {
      const port = event.ports[0];
      // Only this window itself (its preload) may hand over a port.
      if (event.source !== window || !isPortMessage(event.data) || port === undefined) return;
      done();
      resolve(messagePort(port));
    };
    window.addEventListener('message', onMessage);
    window.postMessage({ type: pageWords.wanted }, window.location.origin);
  });
}

async function openSocket(): Promise<WirePort> {
  const url = new URL('/wire', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  try {
    return await openWebSocketPort(new WebSocket(url));
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
  const client = createReconnectingClient({ open: isDesktop() ? receivePort : openSocket });
  window.addEventListener('online', () => client.reconnectNow());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && client.state === 'connecting')
      client.reconnectNow();
  });
  return client;
}
