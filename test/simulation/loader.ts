// Loaded before a simulation (`node --import`), so that it can be repeated exactly: the disk answers at
// once. And, where SIMULATION_MUTANT names one, the source of the core is broken on its way in: the
// files stay as they are, and no switch for it is in the product.
import { registerHooks } from 'node:module';
import { mutants, mutate } from './mutants.ts';

const immediateDisk = new URL('../support/immediate-disk.ts', import.meta.url).href;
const root = new URL('../../', import.meta.url).href;
const mutant = mutants.find(({ name }) => name === process.env['SIMULATION_MUTANT']);

/** Copies whole data directories, which no run does. */
const notSimulated = '/store/backup.ts';

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'node:fs/promises' && !context.parentURL?.endsWith(notSimulated)
      ? { url: immediateDisk, shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) => {
    const loaded = next(url, context);
    const changes = mutant?.changes.filter(({ file }) => url === `${root}${file}`) ?? [];
    if (changes.length === 0) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    return { ...loaded, source: mutate(source, changes) };
  },
});
