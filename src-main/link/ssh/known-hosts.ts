// Which host keys are known: the user's known_hosts files are read, ours is read and written.
// Decisions follow OpenSSH's hostfile.c and sshconnect.c.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, LinkConfigError } from '../errors.ts';
import {
  fingerprintOf,
  hostKeyAlgorithms,
  isAskableKeyType,
  keyTypeOf,
  knownHostsName,
  type HostKeyAlgorithm,
} from './host-key.ts';
import { namesMatch, parseKnownHosts, type KnownHostsEntry } from './known-hosts-file.ts';

export interface KnownHostsOptions {
  /** Read and never written, as `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`. */
  userFiles: readonly string[];
  /** Ours: what is accepted goes here. Made when it is not there. */
  ownFile: string;
}

export interface HostKeyVerdict {
  readonly status: 'known' | 'new' | 'changed' | 'revoked';
  readonly keyType: string;
  readonly fingerprint: string;
  /** For `changed` and `revoked`: the entry that says so. For `known`: the one that has it. */
  readonly file?: string;
  readonly line?: number;
}

/** What the files say about one host at one moment; answers without touching the disk again. */
export interface KnownHost {
  /** What to ask the server for, the types we know first. */
  readonly algorithms: readonly HostKeyAlgorithm[];
  check(key: Buffer): HostKeyVerdict;
}

export class KnownHosts {
  readonly #options: KnownHostsOptions;
  /** Writes follow one another, so that two accepted keys do not overwrite each other. */
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(options: KnownHostsOptions) {
    this.#options = options;
  }

  /** Our own file, for advice to people. */
  get ownFile(): string {
    return this.#options.ownFile;
  }

  /** Compares a key a host showed with what the files have. Throws LinkConfigError for an unreadable file. */
  async check(host: string, port: number, key: Buffer): Promise<HostKeyVerdict> {
    return (await this.lookup(host, port)).check(key);
  }

  /** Everything known about a host. @param host name or address, or its HostKeyAlias with port 22. */
  async lookup(host: string, port: number): Promise<KnownHost> {
    const entries = await this.#readAll();
    const name = knownHostsName(host, port);
    const exact = entries.filter((entry) => namesMatch(entry.names, name));
    // Known under its plain name only, a key on another port is fine if it matches, and new if
    // it does not (sshconnect.c: "checking without port identifier").
    const plain =
      port === 22
        ? []
        : entries.filter((entry) => namesMatch(entry.names, knownHostsName(host, 22)));
    const types = [...exact, ...plain]
      .filter((entry) => entry.marker === 'none')
      .map((entry) => entry.keyType);
    return { algorithms: hostKeyAlgorithms(types), check: (key) => judge(key, exact, plain) };
  }

  /**
   * Writes the key into our own file, in one step and before this resolves. An entry that is
   * there already is not repeated.
   */
  async accept(host: string, port: number, key: Buffer): Promise<void> {
    const name = knownHostsName(host, port);
    await this.#rewriteOwnFile((text) => {
      const isThere = parseKnownHosts(text, this.#options.ownFile).some(
        (entry) =>
          entry.marker === 'none' && entry.key.equals(key) && namesMatch(entry.names, name),
      );
      if (isThere) return text;
      const separator = text === '' || text.endsWith('\n') ? '' : '\n';
      return `${text}${separator}${name} ${keyTypeOf(key)} ${key.toString('base64')}\n`;
    });
  }

  /**
   * Forgets the host's keys in our own file and says how many lines that were. Lines in the
   * user's files stay: `ssh-keygen -R` is for them.
   */
  async forget(host: string, port: number): Promise<number> {
    const name = knownHostsName(host, port);
    let count = 0;
    await this.#rewriteOwnFile((text) => {
      const gone = new Set(
        parseKnownHosts(text, this.#options.ownFile)
          .filter((entry) => entry.marker === 'none' && namesMatch(entry.names, name))
          .map((entry) => entry.line),
      );
      count = gone.size;
      const lines = text.split('\n').filter((_, index) => !gone.has(index + 1));
      return count === 0 ? text : lines.join('\n');
    });
    return count;
  }

  async #readAll(): Promise<KnownHostsEntry[]> {
    const files = [this.#options.ownFile, ...this.#options.userFiles];
    const read = await Promise.all(
      files.map(async (file) => parseKnownHosts(await readIfThere(file), file)),
    );
    return read.flat();
  }

  #rewriteOwnFile(change: (text: string) => string): Promise<void> {
    const write = this.#lastWrite.then(async () => {
      const before = await readIfThere(this.#options.ownFile);
      const after = change(before);
      if (after !== before) await writeAtomically(this.#options.ownFile, after);
    });
    // The next write goes ahead whatever became of this one; its caller hears of a failure.
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }
}

function judge(
  key: Buffer,
  exact: readonly KnownHostsEntry[],
  plain: readonly KnownHostsEntry[],
): HostKeyVerdict {
  const facts = { keyType: keyTypeOf(key), fingerprint: fingerprintOf(key) };
  const same = (entry: KnownHostsEntry) => entry.key.equals(key);
  const revoked = [...exact, ...plain].find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked !== undefined) return { status: 'revoked', ...facts, ...placeOf(revoked) };

  const trusted = exact.filter((entry) => entry.marker === 'none');
  const known = trusted.find(same) ?? plain.find((entry) => entry.marker === 'none' && same(entry));
  if (known !== undefined) return { status: 'known', ...facts, ...placeOf(known) };

  // We asked for the types we know first. A server that shows another type has lost the key we
  // know, which OpenSSH calls changed as well. Types ssh2 cannot ask for say nothing.
  const comparable = trusted.filter((entry) => isAskableKeyType(entry.keyType));
  const other = comparable.find((entry) => entry.keyType === facts.keyType) ?? comparable[0];
  return other === undefined
    ? { status: 'new', ...facts }
    : { status: 'changed', ...facts, ...placeOf(other) };
}

function placeOf(entry: KnownHostsEntry): { file: string; line: number } {
  return { file: entry.file, line: entry.line };
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new LinkConfigError('link/config', `The known hosts in ${file} cannot be read.`, {
      cause: error,
      retry: 'after-user-action',
      details: { file },
    });
  }
}

async function writeAtomically(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${randomBytes(6).toString('hex')}`;
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    throw new LinkConfigError('link/config', `The known hosts in ${file} cannot be written.`, {
      cause: error,
      retry: 'after-user-action',
      details: { file },
    });
  }
}
