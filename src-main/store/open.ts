// What a core keeps: its database, the log files of its tasks, its secrets and its settings file.
// Everything here is about being durable and readable again; what it means is decided elsewhere.
// `openStore` is the door; the repositories on the Store it gives are the rooms.
import type { Instant, TaskId } from '../contract/ids.ts';
import type { Clock } from '../domain/clock.ts';
import { Connection, type StoreLog } from './connection.ts';
import { backup, type BackupOptions } from './backup.ts';
import { ConfigFile } from './config-file.ts';
import { sizeOf } from './core-log-files.ts';
import { coreIdentity, type CoreIdentity } from './core-identity.ts';
import { makeDataDir, type DataPaths } from './data-dir.ts';
import { EffectRepository } from './effect-repository.ts';
import { EnvironmentRepository } from './environment-repository.ts';
import { ForwardRepository } from './forward-repository.ts';
import { GroupCommit, type Schedule } from './group-commit.ts';
import { KeptRepository } from './kept-repository.ts';
import { takeLock, type DirectoryLock } from './lock.ts';
import { LayerFiles } from './layer-files.ts';
import { LogStore } from './logs/log-store.ts';
import { Meta } from './meta.ts';
import { MetricsRepository } from './metrics-repository.ts';
import { migrate, prepareFile, type Migration } from './migrate.ts';
import { migrations as allMigrations } from './migrations/index.ts';
import { NodeRepository } from './node-repository.ts';
import { VpsRepository } from './vps-repository.ts';
import { NoticeRepository } from './notice-repository.ts';
import { QueueRepository } from './queue-repository.ts';
import { QueryWorker } from './query-client.ts';
import { prune, type RetentionRules } from './retention.ts';
import { TaskRepository } from './task-repository.ts';
import { TransferRepository } from './transfer-repository.ts';
import { SecretRepository } from './vault/secret-repository.ts';
import { SecretVault, type VaultOptions } from './vault/vault.ts';
import { checkpointAfterCommits } from './wal-checkpoints.ts';
import { openWal, WalSync, type Syncable } from './wal-sync.ts';

export interface OpenStoreOptions {
  /** Made if it is not there, readable by its owner only. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: StoreLog;
  /** Who opens it, for others to read: `electron`, `server`, `test`. */
  readonly host: string;
  /** How secrets are kept. */
  readonly vault?: VaultOptions;
  /** When a group of writes is committed. Default: at the end of this turn of the loop. */
  readonly schedule?: Schedule;
  /** Opens the write-ahead log to force it to the disk. Default: the file itself. */
  readonly openWal?: (file: string) => Promise<Syncable>;
  /** Default: all of them. */
  readonly migrations?: readonly Migration[];
}

/** In bytes. */
export interface StoreSizes {
  readonly databaseBytes: number;
  /** What was written and is not yet taken into the database file. */
  readonly walBytes: number;
  /** What tasks have printed. */
  readonly taskLogBytes: number;
}

/** An open data directory. Only one exists for a directory at a time, in whatever process. */
export interface Store extends AsyncDisposable {
  readonly paths: DataPaths;
  readonly identity: CoreIdentity;
  readonly tasks: TaskRepository;
  readonly effects: EffectRepository;
  readonly nodes: NodeRepository;
  readonly vps: VpsRepository;
  readonly metrics: MetricsRepository;
  readonly notices: NoticeRepository;
  readonly kept: KeptRepository;
  readonly transfers: TransferRepository;
  readonly logs: LogStore;
  readonly forwards: ForwardRepository;
  readonly queue: QueueRepository;
  readonly environments: EnvironmentRepository;
  readonly layers: LayerFiles;
  readonly vault: SecretVault;
  readonly configFile: ConfigFile;
  /**
   * Runs `fn` in the transaction of this turn of the loop. When it throws, its own writes are
   * undone. What it wrote is durable when `flushed()` resolves.
   */
  write<T>(fn: () => T): T;
  /**
   * Resolves when everything written so far is on disk.
   * @throws StoreError (`store/disk-full`…) when it could not be saved: then all of it is undone.
   */
  flushed(): Promise<void>;
  /** Writes since the last commit were undone; whatever was built on them must be read again. */
  readonly onDidFail: GroupCommit['onDidFail'];
  /** How much is kept. Looks at files and adds up every task: not for each turn of the loop. */
  sizes(): Promise<StoreSizes>;
  /** See `prune` in retention.ts. Returns the tasks that were removed. */
  prune(rules: RetentionRules, now: Instant): Promise<TaskId[]>;
  /** See `backup` in backup.ts. */
  backup(options: BackupOptions): Promise<{ readonly file: string; readonly bytes: number }>;
  /** Commits what is waiting, closes everything, and gives the directory free. */
  close(): Promise<void>;
}

/**
 * Opens a data directory for this process.
 * @throws StoreError `store/locked` (with the holder's pid), `store/newer-database` (nothing is
 * changed), `store/corrupt`, `store/failed`, `store/disk-full`.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { dataDir, clock, host } = options;
  const paths = await makeDataDir(dataDir);
  const lock = await takeLock(paths, { pid: process.pid, host, startedAt: clock.now() });
  try {
    return await openLocked(options, { paths, lock });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

interface Locked {
  readonly paths: DataPaths;
  readonly lock: DirectoryLock;
}

async function openLocked(options: OpenStoreOptions, locked: Locked): Promise<Store> {
  const connection = await openDatabase(locked.paths.database, options);
  const group = new GroupCommit(connection, options.schedule ?? setImmediate);
  try {
    return await assemble(options, { ...locked, connection, group });
  } catch (error) {
    connection.close();
    throw error;
  }
}

interface Opened extends Locked {
  readonly connection: Connection;
  readonly group: GroupCommit;
}

async function assemble(options: OpenStoreOptions, opened: Opened): Promise<Store> {
  const { clock, log, vault: vaultOptions = {} } = options;
  const { paths, connection, group } = opened;
  const meta = new Meta(connection);
  const identity = group.write(() => coreIdentity(meta, clock.now()));
  const secrets = new SecretRepository(connection);
  const keyFile = paths.vaultKey;
  const vault = await SecretVault.open({
    meta,
    secrets,
    group,
    keyFile,
    log,
    options: vaultOptions,
  });
  const sync = await syncBesides(options, opened);
  await group.flushed();

  const queries = new QueryWorker(paths.database, log);
  checkpointAfterCommits({ connection, group, queries, log });
  const effects = new EffectRepository(connection, log);
  const tasks = new TaskRepository({ connection, group, queries, effects, log });
  const metrics = new MetricsRepository({ connection, group, queries });
  const logs = new LogStore(paths.logs);
  const close = closeOnce({ ...opened, queries, logs, sync });
  return {
    paths,
    identity,
    tasks,
    effects,
    nodes: new NodeRepository(connection, group, log),
    vps: new VpsRepository(connection, group, log),
    metrics,
    notices: new NoticeRepository(connection),
    kept: new KeptRepository(connection, log),
    transfers: new TransferRepository(connection, log),
    logs,
    forwards: new ForwardRepository(connection, group, log),
    queue: new QueueRepository(connection, group, log),
    environments: new EnvironmentRepository(connection, group, log),
    layers: new LayerFiles(paths.layers),
    vault,
    configFile: new ConfigFile(paths.configFile),
    write: (fn) => group.write(fn),
    flushed: () => group.flushed(),
    onDidFail: group.onDidFail,
    sizes: async () => {
      const [databaseBytes, walBytes, taskLogBytes] = await Promise.all([
        sizeOf(paths.database),
        sizeOf(`${paths.database}-wal`),
        queries.taskLogBytes(),
      ]);
      return { databaseBytes, walBytes, taskLogBytes };
    },
    prune: (rules, now) => prune({ tasks, logs, metrics, secrets, group }, rules, now),
    backup: (what) => backup({ group, queries, paths }, what),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Closing extends Opened {
  readonly queries: QueryWorker;
  readonly logs: LogStore;
  readonly sync: WalSync;
}

/** From now on commits only write; the disk is forced beside the main thread. */
async function syncBesides(options: OpenStoreOptions, opened: Opened): Promise<WalSync> {
  const { paths, connection, group } = opened;
  // Makes the log, where there is none yet.
  group.commit();
  const wal = await (options.openWal ?? openWal)(`${paths.database}-wal`);
  const sync = new WalSync({
    wal,
    commits: () => group.commits,
    checkpoint: () => void connection.pragma('wal_checkpoint(FULL)'),
  });
  connection.pragma('synchronous = NORMAL');
  connection.pragma('wal_autocheckpoint = 0');
  group.syncBy(sync);
  return sync;
}

/** What closes a store; a second call does nothing: the lock may be another's by then. */
function closeOnce({ logs, group, queries, connection, lock, sync }: Closing): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    try {
      await logs[Symbol.asyncDispose]();
    } finally {
      group.commit();
      try {
        await sync[Symbol.asyncDispose]();
      } finally {
        await queries[Symbol.asyncDispose]();
        connection.close();
        await lock.release();
      }
    }
  };
  return () => (closing ??= close());
}

async function openDatabase(file: string, options: OpenStoreOptions): Promise<Connection> {
  const { clock, log, migrations = allMigrations } = options;
  await prepareFile(file, migrations);
  const connection = new Connection({ file, clock, log });
  try {
    migrate(connection, migrations);
    // FULL: a commit is on disk before it returns, also through a power cut. Until the store is open.
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    // After a burst the WAL gives its space back.
    connection.pragma('journal_size_limit = 67108864');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
