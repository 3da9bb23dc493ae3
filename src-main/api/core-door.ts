import type { CoreStatus } from '../contract/procedures.ts';
import type { SettingKey, Settings } from '../contract/settings.ts';
import type { Links, RuntimeFactories } from '../services/nodes/ports.ts';
import type { Keychain } from '../store/vault/key-wraps.ts';
import type { StreamHandlers, ContractRouter, WireLog } from './wire/serve-wire.ts';

/** What a host asks for when it starts a core. */
export interface CoreOptions {
  /** Absolute path; made when it is not there. */
  dataDir: string;
  host: CoreStatus['host'];
  version: string;
  /** Shell text that starts the command line on this computer; undefined where it is not installed. */
  command?: string | undefined;
  /** Settings given on the command line; they win over everything else. */
  flags?: Partial<Record<SettingKey, unknown>>;
  /** Where the operating system keeps secrets, if this host has such a place. */
  keychain?: Keychain | undefined;
  /** For tests and benches: what is used in the place of the real ways to nodes. */
  replace?: {
    links?: (real: Links) => Links;
    runtimes?: (real: RuntimeFactories) => RuntimeFactories;
  };
}

/** A running core as hosts see it: what to serve, and how to end. */
export interface Core {
  readonly router: ContractRouter;
  readonly streams: StreamHandlers;
  readonly log: CoreLog;
  /** A setting in force: flags, environment, config.yaml or default. */
  setting<K extends SettingKey>(key: K): Settings[K];
  status(): CoreStatus | Promise<CoreStatus>;
  /** Asked for by a client (`core.stop`): the host then stops everything, the core included. */
  onDidRequestStop(listener: () => void): Disposable;
  /** The computer woke up or its network changed: every node is tried now. */
  wake(): void;
  /** Stops scheduling and closes what is open; work on nodes goes on. May be called twice. */
  stop(): Promise<void>;
}

/** The core's log as hosts use it; a pino logger is one. */
export interface CoreLog extends WireLog {
  info(facts: object, message: string): void;
}

/**
 * Starts a core. Throws `store/locked` when another one owns the data directory: the host then
 * attaches to that one, whose `core.json` says where it listens.
 */
export type CreateCore = (options: CoreOptions) => Promise<Core>;
