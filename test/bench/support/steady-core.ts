// A core on simulated nodes in a process of its own, for steady.ts: serves the local socket, and
// tells its parent how long its main thread was held between `begin` and `end`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createCore } from '../../../src-main/core.ts';
import { startLocalSocket } from '../../../src-main/hosts/server/local-socket.ts';
import { simulatedLinks, simulatedRuntimes } from './simulated-nodes.ts';

const resolutionMs = 10;
const [dataDir = ''] = process.argv.slice(2);
const core = await createCore({
  dataDir,
  host: 'test',
  version: 'bench',
  replace: { links: () => simulatedLinks(), runtimes: () => simulatedRuntimes() },
});
const socket = await startLocalSocket({ core, dataDir, who: 'bench' });
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();

process.on('message', (order) => {
  if (order === 'begin') delay.reset();
  if (order === 'end') {
    // The timer itself is due every `resolutionMs`: what is more is how long it was held up.
    const held = (ns: number) => Math.max(0, ns / 1e6 - resolutionMs);
    process.send?.({ longestMs: held(delay.max), p99Ms: held(delay.percentile(99)) });
  }
  if (order === 'stop') void stop();
});
async function stop(): Promise<void> {
  await socket.stop();
  await core.stop();
  process.disconnect();
}
process.send?.({ socket: socket.path });
