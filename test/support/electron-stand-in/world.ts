// What runs in the page on behalf of the stand-in, as text: in the page's own world, what
// contextBridge puts there; in the preload's world, `require('electron')` and the ports.

/** Binding through which the preload's world speaks to the stand-in. */
export const binding = 'standInSend';
export const worldName = 'preload';

/** Runs before every script of the page. */
export const mainWorldScript = `
addEventListener('stand-in-expose', ({ detail: { name, keys } }) => {
  const call = (key) => (...args) => {
    let result;
    addEventListener('stand-in-result', ({ detail }) => { result = detail; }, { once: true });
    dispatchEvent(new CustomEvent('stand-in-call', { detail: { name, key, args } }));
    return result;
  };
  Object.defineProperty(window, name, {
    value: Object.freeze(Object.fromEntries(keys.map((key) => [key, call(key)]))),
  });
});`;

/** The preload as a sandboxed window runs it: no require but Electron's few modules. */
export function preloadScript(preload: string): string {
  return `(() => {
  const listeners = new Map();
  const ports = new Map();
  const paths = new Map();
  const send = (message) => ${binding}(JSON.stringify(message));
  const encode = (data) =>
    typeof data === 'string' ? { text: data }
    : data === null ? { nothing: true }
    : { base64: btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join('')) };
  const decode = (data) =>
    'text' in data ? data.text
    : 'nothing' in data ? null
    : Uint8Array.from(atob(data.base64), (letter) => letter.charCodeAt(0));
  const openPort = (id) => {
    const { port1, port2 } = new MessageChannel();
    ports.set(id, port1);
    port1.onmessage = ({ data }) => send({ kind: 'port', id, data: encode(data) });
    port1.onclose = () => { if (ports.delete(id)) send({ kind: 'close', id }); };
    return port2;
  };
  globalThis.standInReceive = (message) => {
    if (message.kind === 'port') ports.get(message.id)?.postMessage(decode(message.data));
    else if (message.kind === 'close') { ports.get(message.id)?.close(); ports.delete(message.id); }
    else if (message.kind === 'paths') for (const path of message.paths) paths.set(path.split('/').at(-1), path);
    else listeners.get(message.channel)?.({ ports: message.ports.map(openPort) }, ...message.args);
  };
  const exposed = new Map();
  addEventListener('stand-in-call', ({ detail: { name, key, args } }) => {
    const detail = exposed.get(name)[key](...args);
    dispatchEvent(new CustomEvent('stand-in-result', { detail }));
  });
  const electron = {
    contextBridge: {
      exposeInMainWorld(name, api) {
        exposed.set(name, api);
        dispatchEvent(new CustomEvent('stand-in-expose', { detail: { name, keys: Object.keys(api) } }));
      },
    },
    ipcRenderer: {
      on: (channel, listener) => void listeners.set(channel, listener),
      send: (channel, ...args) => send({ kind: 'ipc', channel, args }),
    },
    webUtils: { getPathForFile: (file) => paths.get(file.name) ?? '' },
  };
  const require = (name) => {
    if (name === 'electron') return electron;
    throw new Error('module not found: ' + name);
  };
  ((require, exports, module) => {${preload}
})(require, {}, {});
})();`;
}
