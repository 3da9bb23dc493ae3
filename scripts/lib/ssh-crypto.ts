// ssh2's native ciphers are bound to the Node that npm ran with. Where that was another one than
// ours they do not load, and ssh2 falls back to JavaScript without a word: so they are built again,
// with the headers that came with our Node, without the network.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
/** Compiling takes 10 s on a quiet machine; a machine that hangs must not keep the app from starting. */
const limitMs = 180_000;

/**
 * Makes sure that ssh2's native ciphers can be loaded by this Node. Answers in a sentence when
 * something was done about it; where there is no compiler, ssh2 goes on in JavaScript, only slower,
 * and it is not tried again with the same Node.
 */
export async function ensureSshCrypto(root: string): Promise<string | undefined> {
  if (doesLoad()) return undefined;
  const failedBefore = join(root, 'dist', `.no-ssh-crypto-${process.versions.modules}`);
  if (existsSync(failedBefore)) return undefined;
  const headers = findHeaders(root);
  const isBuilt = headers !== undefined && (await compile(headers));
  if (isBuilt) return `Built ssh2's native ciphers for Node ${process.version}.`;
  mkdirSync(dirname(failedBefore), { recursive: true });
  writeFileSync(failedBefore, '');
  return "ssh2's native ciphers cannot be built here (no compiler?); SSH uses its JavaScript ones, which are slower.";
}

function sourceDir(): string {
  return join(dirname(require.resolve('ssh2/package.json')), 'lib', 'protocol', 'crypto');
}

function doesLoad(): boolean {
  try {
    require(join(sourceDir(), 'build', 'Release', 'sshcrypto.node'));
    return true;
  } catch {
    // Missing, or of another Node: either way it has to be built.
    return false;
  }
}

/** Where `include/node` of the running Node is; our own Node's package brings it along. */
function findHeaders(root: string): string | undefined {
  const ours = `node-${process.platform}-${process.arch}`;
  const places = [
    join(root, 'node_modules', 'node', 'node_modules', ours),
    join(root, 'node_modules', ours),
    join(dirname(process.execPath), '..'),
  ];
  return places.find((place) => existsSync(join(place, 'include', 'node', 'node.h')));
}

function compile(headers: string): Promise<boolean> {
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  const [opensslMajor = '3'] = process.versions.openssl.split('.');
  const args = ['rebuild', `--nodedir=${headers}`, `--real_openssl_major=${opensslMajor}`];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [gyp, ...args], {
      cwd: sourceDir(),
      stdio: 'ignore',
      timeout: limitMs,
      // npm hands its own settings down, another Node's headers among them.
      env: { ...process.env, npm_config_nodedir: headers },
    });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
