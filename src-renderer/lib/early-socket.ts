// The link to the core a page came from. It is begun before the app's code has been read, so that
// both happen at once.
let begun: WebSocket | undefined;

function newSocket(): WebSocket {
  const url = new URL('/wire', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url);
}

/** Begins a connection for whoever takes the next one. */
export function beginSocket(): void {
  begun = newSocket();
}

/** The connection that was begun, once; another one if it ended meanwhile, and from then on. */
export function takeSocket(): WebSocket {
  const socket = begun;
  begun = undefined;
  const isAlive = socket !== undefined && socket.readyState <= WebSocket.OPEN;
  return isAlive ? socket : newSocket();
}
