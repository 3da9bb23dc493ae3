// The list of cores elsewhere, in `cores.json` of the data directory. A token is in it only sealed
// by the system's keychain; without one it lasts as long as the app runs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { coreAddress, coreHere, type CoreAddress, type KnownCore } from '../../contract/desktop.ts';
import { writeFileAtomicallySync } from '../../store/atomic-file.ts';
import { codeOf } from '../../store/errors.ts';
import type { Keychain } from '../../store/vault/key-wraps.ts';

const entry = z.object({
  id: z.string(),
  name: z.string(),
  address: coreAddress,
  /** Sealed token. */
  sealed: z.base64().optional(),
});
const fileShape = z.object({ current: z.string().default(coreHere), cores: z.array(entry) });
type Entry = z.infer<typeof entry>;

export class CoresFile {
  readonly #path: string;
  readonly #keychain: () => Keychain | undefined;
  readonly #session = new Map<string, string>();
  #entries: readonly Entry[];
  #current: string;

  /** A file that says nothing sensible counts as none. */
  constructor(dataDir: string, keychain: () => Keychain | undefined) {
    this.#path = join(dataDir, 'cores.json');
    this.#keychain = keychain;
    const found = read(this.#path);
    this.#entries = found.cores;
    this.#current = found.cores.some(({ id }) => id === found.current) ? found.current : coreHere;
  }

  get current(): string {
    return this.#current;
  }

  list(): KnownCore[] {
    return this.#entries.map((known) => this.#view(known));
  }

  find(id: string): KnownCore | undefined {
    return this.list().find((known) => known.id === id);
  }

  /** Undefined when it was never given, was lost with the session, or the keychain cannot read it. */
  tokenOf(id: string): string | undefined {
    const inSession = this.#session.get(id);
    const sealed = this.#entries.find((known) => known.id === id)?.sealed;
    const keychain = this.#keychain();
    if (inSession !== undefined || sealed === undefined || keychain === undefined) return inSession;
    try {
      return keychain.decrypt(Buffer.from(sealed, 'base64'));
    } catch {
      // Another login, another computer: the token has to be given again, which the error then says.
      return undefined;
    }
  }

  add(
    id: string,
    core: { name: string; address: CoreAddress; token?: string | undefined },
  ): KnownCore {
    const { name, address, token } = core;
    const keychain = this.#keychain();
    const sealed =
      token === undefined || keychain === undefined
        ? undefined
        : Buffer.from(keychain.encrypt(token)).toString('base64');
    const added: Entry = { id, name, address, ...(sealed === undefined ? {} : { sealed }) };
    if (token !== undefined && sealed === undefined) this.#session.set(id, token);
    this.#write([...this.#entries, added], this.#current);
    return this.#view(added);
  }

  forget(id: string): void {
    this.#session.delete(id);
    const others = this.#entries.filter((known) => known.id !== id);
    this.#write(others, this.#current === id ? coreHere : this.#current);
  }

  choose(id: string): void {
    this.#write(this.#entries, id);
  }

  #view({ id, name, address, sealed }: Entry): KnownCore {
    const token = address.kind === 'url' ? (sealed === undefined ? 'session' : 'kept') : null;
    return { id, name, address, secret: token };
  }

  #write(cores: readonly Entry[], current: string): void {
    writeFileAtomicallySync(this.#path, `${JSON.stringify({ current, cores }, undefined, 2)}\n`);
    this.#entries = cores;
    this.#current = current;
  }
}

function read(path: string): z.infer<typeof fileShape> {
  try {
    const found = fileShape.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (found.success) return found.data;
  } catch (error) {
    if (!(error instanceof SyntaxError) && codeOf(error) !== 'ENOENT') throw error;
  }
  return { current: coreHere, cores: [] };
}
