// Opens the data directory given and stays.
import { openStore } from '../../../../src-main/store/open.ts';

const clock = { now: () => 1_700_000_000_000, monotonic: () => performance.now() };
const [, , dataDir = ''] = process.argv;
await openStore({ dataDir, clock, host: 'holder', log: { warn: () => undefined } });
process.send?.('open');
setInterval(() => undefined, 1000);
