// `npm run build`: builds what has changed since the last build into dist/. With `--force`, all.
import { buildAll } from './lib/build-parts.ts';

const startedAt = performance.now();
const built = await buildAll({ force: process.argv.includes('--force') });
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(
  built.length === 0
    ? 'Everything is built already.'
    : `Built ${built.join(' and ')} in ${seconds} s.`,
);
