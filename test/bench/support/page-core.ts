// A core on simulated nodes that also serves its page, in a process of its own, for renderer.ts.
// Tells its parent where it is; stops when told to.
import { createCore } from '../../../src-main/core.ts';
import { findPlaces } from '../../../src-main/hosts/places.ts';
import { startServer } from '../../../src-main/hosts/server/start-server.ts';
import { simulatedLinks, simulatedRuntimes } from './simulated-nodes.ts';

const [dataDir = ''] = process.argv.slice(2);
const core = await createCore({
  dataDir,
  host: 'test',
  version: 'bench',
  replace: { links: () => simulatedLinks(), runtimes: () => simulatedRuntimes() },
});
const { rendererDir } = findPlaces(import.meta.url);
const options = { core, dataDir, host: '127.0.0.1', port: 0, rendererDir, version: 'bench' };
const server = await startServer({ ...options, who: 'bench', now: Date.now });

process.on('message', (order) => {
  if (order === 'stop') void stop();
});
async function stop(): Promise<void> {
  await server.stop();
  await core.stop();
  process.disconnect();
}
process.send?.({ url: server.url, token: server.token, socket: server.socketPath });
