// The headless host: the page and the wire over HTTP, and the local socket, around one core.
import type { Core } from '../../api/core-door.ts';
import { removeCoreFile, writeCoreFile } from '../core-file.ts';
import { startLocalSocket } from './local-socket.ts';
import { startWebServer, type WebServerOptions } from './web-server.ts';

export interface StartServerOptions extends Omit<WebServerOptions, 'core'> {
  core: Pick<Core, 'router' | 'streams' | 'log'>;
}

export interface RunningServer {
  readonly url: string;
  readonly token: string;
  readonly socketPath: string;
  /** A URL that signs one browser in. */
  newSignInUrl(): string;
  /** Says goodbye to every client; the core itself goes on. */
  stop(): Promise<void>;
}

/** Opens both doors of a core and writes `core.json`. What was opened is closed again when one fails. */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { core, dataDir, who, version, now } = options;
  const web = await startWebServer(options);
  try {
    const local = await startLocalSocket({
      core,
      dataDir,
      who,
      newSignInUrl: () => web.newSignInUrl(),
    });
    await writeCoreFile(dataDir, {
      pid: process.pid,
      socket: local.path,
      url: web.url,
      startedAt: now(),
      version,
    });
    return {
      url: web.url,
      token: web.token,
      socketPath: local.path,
      newSignInUrl: () => web.newSignInUrl(),
      async stop() {
        await removeCoreFile(dataDir, process.pid);
        await Promise.all([web.stop(), local.stop()]);
      },
    };
  } catch (error) {
    await web.stop();
    throw error;
  }
}
