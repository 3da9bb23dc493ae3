// An SFTP server that lies: it lists names that lead elsewhere, sizes that are not so, and folders
// that never end. Whoever copies from it must come to no harm.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type Connection } from 'ssh2';
import { keepCiphers } from '../../../src-main/link/ssh/kept-ciphers.ts';
import { connectSsh } from '../../../src-main/link/ssh/connect.ts';
import { KnownHosts } from '../../../src-main/link/ssh/known-hosts.ts';
import type { NodeLink } from '../../../src-main/link/node-link.ts';

export interface HostileFile {
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** What it claims. */
  readonly size?: number;
  /** What reading it gives; `endless` never stops. */
  readonly bytes?: Buffer | 'endless';
}

const modes = { file: 0o100644, directory: 0o040755 };

export class HostileServer implements AsyncDisposable {
  /** What `/evil` lists; `endless` goes on for ever. */
  listing: readonly HostileFile[] | 'endless' = [];
  served = 0;
  readonly #server: InstanceType<typeof ssh2.Server>;
  readonly #connections = new Set<Connection>();

  static async start(): Promise<HostileServer> {
    const server = new HostileServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  private constructor() {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs1', format: 'pem' });
    this.#server = new ssh2.Server({ hostKeys: [key] }, (connection) => {
      keepCiphers(connection);
      this.#connections.add(connection);
      connection.on('error', () => this.#connections.delete(connection));
      connection.on('authentication', (context) => context.accept());
      connection.on('session', (accept) => {
        const session = accept();
        session.on('exec', (_accept, reject) => reject?.());
        session.on('sftp', (acceptSftp) => this.#serve(acceptSftp()));
      });
    });
  }

  connect(): Promise<NodeLink> {
    const dir = mkdtempSync(join(tmpdir(), 'kohakuriver-hostile-'));
    return connectSsh({
      destination: {
        host: '127.0.0.1',
        port: (this.#server.address() as AddressInfo).port,
        user: 'x',
      },
      password: 'x',
      useSshConfig: false,
      agentSocket: null,
      knownHosts: new KnownHosts({ userFiles: [], ownFile: join(dir, 'known') }),
      consent: 'any-new',
      timeoutMs: 20_000,
      homeDir: dir,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.end();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(sftp: Sftp): void {
    const handles = new Map<string, { path: string; listed: boolean }>();
    let last = 0;
    const open = (id: number, path: string) => {
      last += 1;
      const handle = Buffer.from(String(last));
      handles.set(String(last), { path, listed: false });
      sftp.handle(id, handle);
    };
    const attrs = (path: string) => {
      const file = this.#find(path);
      return { mode: modes[file.kind], size: file.size ?? 0, uid: 0, gid: 0, atime: 1, mtime: 1 };
    };
    sftp.on('REALPATH', (id: number) =>
      sftp.name(id, [{ filename: '/', longname: '', attrs: {} }]),
    );
    for (const event of ['STAT', 'LSTAT']) {
      sftp.on(event, (id: number, path: string) => sftp.attrs(id, attrs(path)));
    }
    sftp.on('OPENDIR', open);
    sftp.on('OPEN', open);
    sftp.on('CLOSE', (id: number) => sftp.status(id, 0));
    sftp.on('READDIR', (id: number, handle: Buffer) => {
      const entry = handles.get(handle.toString())!;
      const names = this.#names(entry);
      if (names === undefined) sftp.status(id, 1);
      else sftp.name(id, names);
    });
    sftp.on('READ', (id: number, handle: Buffer, offset: number, length: number) => {
      const { bytes } = this.#find(handles.get(handle.toString())!.path);
      const part =
        bytes === 'endless' ? Buffer.alloc(length, 'x') : bytes?.subarray(offset, offset + length);
      if (part === undefined || part.length === 0) {
        sftp.status(id, 1);
        return;
      }
      this.served += part.length;
      sftp.data(id, part);
    });
  }

  #names(entry: { listed: boolean }) {
    if (this.listing === 'endless') {
      return Array.from({ length: 1000 }, () => {
        this.served += 1;
        return { filename: `n${this.served}`, longname: '', attrs: { mode: modes.file, size: 1 } };
      });
    }
    if (entry.listed) return undefined;
    entry.listed = true;
    return this.listing.map(({ name, kind, size = 0 }) => ({
      filename: name,
      longname: '',
      attrs: { mode: modes[kind], size, uid: 0, gid: 0, atime: 1, mtime: 1 },
    }));
  }

  #find(path: string): HostileFile {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const listed = this.listing === 'endless' ? [] : this.listing;
    return listed.find((file) => file.name === name) ?? { name, kind: 'directory' };
  }
}

interface Sftp {
  on(event: string, listener: (...args: never[]) => void): void;
  handle(id: number, handle: Buffer): void;
  status(id: number, code: number): void;
  name(id: number, names: object[]): void;
  attrs(id: number, attrs: object): void;
  data(id: number, data: Buffer): void;
}
