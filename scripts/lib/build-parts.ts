import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ensureSshCrypto } from './ssh-crypto.ts';

const root = join(import.meta.dirname, '..', '..');

interface Part {
  name: string;
  /** Built into dist/<folder>. */
  folder: string;
  configs: readonly string[];
  /** A file that is there when the build went through. */
  proof: string;
  /** Whatever changes the result, as globs. */
  sources: readonly string[];
}

const shared = ['package.json', 'package-lock.json', 'tsconfig.base.json'];

const parts: readonly Part[] = [
  {
    name: 'the core and its hosts',
    folder: 'main',
    configs: ['vite.main.config.ts', 'vite.preload.config.ts'],
    proof: 'dist/main/serve.js',
    sources: [...shared, 'vite.main.config.ts', 'vite.preload.config.ts', 'src-main/**/*'],
  },
  {
    name: 'the page',
    folder: 'renderer',
    configs: ['vite.renderer.config.ts'],
    proof: 'dist/renderer/index.html',
    sources: [
      ...shared,
      'vite.renderer.config.ts',
      'svelte.config.js',
      'src-renderer/**/*',
      'src-main/contract/**/*',
    ],
  },
];

/**
 * Builds every part whose sources are not what they were at its last build. Answers which. What had
 * to be done about ssh2's native ciphers is said on standard error.
 */
export async function buildAll({ force }: { force: boolean }): Promise<string[]> {
  const built: string[] = [];
  const ciphers = ensureSshCrypto(root);
  for (const part of parts) {
    const digest = digestOf(part);
    if (!force && isBuilt(part, digest)) continue;
    await buildPart(part);
    writeFileSync(stampFile(part), digest);
    built.push(part.name);
  }
  const said = await ciphers;
  if (said !== undefined) process.stderr.write(`${said}\n`);
  return built;
}

async function buildPart(part: Part): Promise<void> {
  const outDir = join(root, 'dist', part.folder);
  rmSync(stampFile(part), { force: true });
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  // Loaded when it is needed: most of the time everything is built.
  const { build } = await import('vite');
  for (const config of part.configs) {
    await build({
      configFile: join(root, config),
      logLevel: 'warn',
      // How long plugins take is of no use to who starts the app.
      build: { rolldownOptions: { checks: { bundlerTimings: false } } },
    });
  }
}

function isBuilt(part: Part, digest: string): boolean {
  const stamp = stampFile(part);
  return (
    existsSync(join(root, part.proof)) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === digest
  );
}

/** Of names and contents: times of files say nothing after a fresh checkout. */
function digestOf(part: Part): string {
  const hash = createHash('sha256');
  const files = part.sources.flatMap((pattern) => globSync(pattern, { cwd: root }));
  for (const file of files.toSorted()) {
    const path = join(root, file);
    if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function stampFile(part: Part): string {
  return join(root, 'dist', `.${part.folder}-built`);
}
