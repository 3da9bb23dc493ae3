// What the rest of the core knows of reaching a node. ssh/ and local/ implement it; nothing to the
// right of this room knows which one it has.
import type { Duplex, Readable, Writable } from 'node:stream';

export interface RunOptions {
  /** Bytes for standard input; it is closed after them (at once where absent). */
  stdin?: Uint8Array | string;
  /** Ends the wait with `link/command-timeout`; the command gets SIGTERM, then SIGKILL, where that is possible. */
  timeoutMs?: number;
  signal?: AbortSignal;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Output kept of each stream; more is dropped and `isTruncated` says so. Default 4 MiB. */
  maxOutputBytes?: number;
}

export interface RunResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  stdout: Buffer;
  stderr: Buffer;
  isTruncated: boolean;
}

export interface SpawnOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Runs on a pseudo-terminal of this size. */
  pty?: { columns: number; rows: number; term: string };
  signal?: AbortSignal;
  /** It will carry much: not on the connection that commands share, where another can be had. */
  isBulk?: boolean;
}

/** A program on the node with its own channel. Reading slowly slows it down; nothing is dropped. */
export interface RemoteProcess extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended and its output was read; rejects with a LinkError when the link drops first. */
  readonly ended: Promise<{ exitCode: number | null; signal: string | null }>;
  /** Only with a PTY. */
  resize(columns: number, rows: number): void;
  /** Asks it to end: closes its input, then signals it as far as the far side allows. */
  end(signal?: string): Promise<void>;
}

/** Takes what comes before it has memory of its own. */
export interface Taker {
  isReady(): boolean;
  /** The memory is somebody else's when it returns. False when it has enough for now. */
  take(part: Buffer): boolean;
}

/** Output that can be taken before it has memory of its own. */
export interface Divertible {
  /**
   * What comes while the taker is ready and nothing waits in the stream goes to it, the rest to
   * listeners of `data`; in order. To be called when the taker that had enough wants more: the answer.
   */
  divert(taker: Taker): () => void;
}

export function isDivertible(stream: object): stream is Divertible {
  return 'divert' in stream;
}

export interface FileStat {
  kind: 'file' | 'directory' | 'link' | 'other';
  size: number;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since the epoch. */
  modifiedAt: number;
}

export interface FileEntry extends FileStat {
  name: string;
}

/** A handle to read or write at positions. */
export interface RemoteFile extends AsyncDisposable {
  /**
   * At most `length` bytes at `position`; empty at the end.
   * @param memory gives what they are read into (so long at least), where they are not in memory already
   */
  read(position: number, length: number, memory?: () => Buffer): Promise<Buffer>;
  write(position: number, bytes: Uint8Array): Promise<void>;
  stat(): Promise<FileStat>;
  /** Forces the bytes to the disk where the far side can. */
  sync(): Promise<void>;
}

/** Room on the disk that has a path. */
export interface DiskUse {
  totalBytes: number;
  freeBytes: number;
}

/**
 * Files as the login user sees them: of a node over SFTP, of a container through its Engine, of this
 * computer. Paths are absolute POSIX paths (on Windows with `/`), as text that carries any bytes
 * (domain/files/path-text.ts). Throws FileError (`link/file-…`, `link/disk-full`) or LinkLostError.
 */
export interface RemoteFiles {
  open(path: string, flags: 'r' | 'w' | 'wx' | 'r+' | 'a', mode?: number): Promise<RemoteFile>;
  readFile(path: string, maxBytes?: number): Promise<Buffer>;
  /** Writes beside the target and renames over it, so that a reader sees the old or the new, never half. */
  writeFileAtomically(path: string, bytes: Uint8Array, mode?: number): Promise<void>;
  /** Of a link itself, unless it is to be followed. Undefined when there is nothing (or a link leads nowhere). */
  stat(path: string, options?: { follow?: boolean }): Promise<FileStat | undefined>;
  list(path: string): Promise<FileEntry[]>;
  /** The same as it comes, a few hundred at a time; leaving the loop ends it. */
  listInBatches(path: string): AsyncIterable<FileEntry[]>;
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** Replaces a file that is there, in one step where the far side can. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** Whatever is there, with all that is below it; links are removed, not followed. Nothing there is success. */
  removeTree(path: string, signal?: AbortSignal): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** When it was last modified, in seconds since the epoch. Not for links. */
  setModified(path: string, modifiedAt: number): Promise<void>;
  makeLink(path: string, target: string): Promise<void>;
  readLink(path: string): Promise<string>;
  /** Absolute, without links; `.` is where a login begins. */
  realPath(path: string): Promise<string>;
  /** Undefined where the far side cannot tell. */
  diskUse(path: string): Promise<DiskUse | undefined>;
}

/** What a link has open on the far side. */
export interface LinkChannels {
  /** SSH connections. */
  connections: number;
  /** Commands, terminals and SFTP on all of them; forwarded sockets do not count. */
  sessions: number;
  /** As many as these connections carry. */
  sessionLimit: number;
}

/** An open way to a node. When it drops, everything pending rejects with a LinkError and `onDidClose` fires once. */
export interface NodeLink extends AsyncDisposable {
  /** For people and logs: `anna@10.0.0.5:22`, or `this computer`. */
  readonly description: string;
  /** How the user was let in: `agent`, `key ~/.ssh/id_ed25519`, `password`, `local`… */
  readonly authenticatedBy: string;
  readonly isOpen: boolean;
  /** Fires once, with the reason; undefined after `close`. */
  readonly onDidClose: (listener: (reason: Error | undefined) => void) => Disposable;

  /** Runs a short command over the long-lived sh channel and collects its output. A vector: no shell reads it. */
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs shell text with `sh` on the same channel; for our own scripts in resources/, with arguments as $1…. */
  runScript(script: string, args?: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program with a channel of its own; counts against the sessions of the connection. */
  spawn(command: readonly string[], options?: SpawnOptions): Promise<RemoteProcess>;
  /** The login shell on a PTY. */
  shell(options: { columns: number; rows: number; term: string }): Promise<RemoteProcess>;
  files(): Promise<RemoteFiles>;
  /** Connects to a Unix socket on the node. Does not count against sessions. */
  dialSocket(path: string): Promise<Duplex>;
  dialTcp(host: string, port: number): Promise<Duplex>;
  /** Listens on the node and hands over what connects. Port 0 chooses one. */
  listenTcp(
    host: string,
    port: number,
    onConnection: (stream: Duplex, from: { host: string; port: number }) => void,
  ): Promise<AsyncDisposable & { port: number }>;
  /** Round trip to the far side in milliseconds; rejects with a LinkError after `timeoutMs`. */
  ping(timeoutMs: number): Promise<number>;
  /** What is open, for diagnosis; left out where nothing is counted. */
  channels?(): LinkChannels;
  close(): Promise<void>;
}
