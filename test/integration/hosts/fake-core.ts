import { implement } from '@orpc/server';
import type { Core } from '../../../src-main/api/core-door.ts';
import type { WireContext } from '../../../src-main/api/context.ts';
import type { ContractRouter } from '../../../src-main/api/wire/serve-wire.ts';
import { RequestError } from '../../../src-main/contract/errors.ts';
import { contract, type CoreStatus } from '../../../src-main/contract/procedures.ts';
import {
  settingDefinitions,
  type SettingKey,
  type Settings,
} from '../../../src-main/contract/settings.ts';
import { Emitter } from '../../../src-main/domain/emitter.ts';

/** As much of a core as hosts can tell from a real one: a status that says who asked, a log, a stop. */
export class FakeCore implements Core {
  readonly logged: { level: string; facts: object; message: string }[] = [];
  readonly log: Core['log'];
  readonly router: ContractRouter;
  readonly streams: Core['streams'];
  readonly #stopRequested = new Emitter<void>();
  readonly onDidRequestStop = this.#stopRequested.event;
  stops = 0;
  wakes = 0;

  /** The defaults, but for the flags it was started with. */
  setting<K extends SettingKey>(key: K): Settings[K] {
    return (this.#flags[key] ?? settingDefinitions[key].default) as Settings[K];
  }

  readonly #flags: Partial<Record<SettingKey, unknown>>;

  constructor(
    dataDir: string,
    host: CoreStatus['host'],
    flags: Partial<Record<SettingKey, unknown>> = {},
  ) {
    this.#flags = flags;
    const entry = (level: string) => (facts: object, message: string) =>
      void this.logged.push({ level, facts, message });
    this.log = { info: entry('info'), warn: entry('warn'), error: entry('error') };
    const os = implement(contract).$context<WireContext>();
    const status = (context: WireContext): CoreStatus => ({
      ...this.#status(dataDir, host),
      hostname: `${context.who} through ${context.host}`,
    });
    this.router = {
      core: {
        status: os.core.status.handler(({ context }) => status(context)),
        stop: os.core.stop.handler(() => {
          this.#stopRequested.emit();
          return { pid: process.pid };
        }),
      },
    } as unknown as ContractRouter;
    this.streams = {
      'tasks.readLog': async function* () {
        await Promise.resolve();
        yield new TextEncoder().encode('hello\n');
      },
      'files.read': async function* ({ path }: { path: string }) {
        await Promise.resolve();
        if (path.endsWith('missing'))
          throw new RequestError('link/file-not-found', 'No such file.');
        yield new TextEncoder().encode('<script>');
        if (path.endsWith('cut')) throw new RequestError('link/lost', 'The link was lost.');
        yield new TextEncoder().encode('</script>');
      },
    } as unknown as Core['streams'];
  }

  #status(dataDir: string, host: CoreStatus['host']): CoreStatus {
    return {
      coreId: '4242' as CoreStatus['coreId'],
      version: '0.0.1',
      pid: process.pid,
      host,
      hostname: 'here',
      dataDir,
      startedAt: 1,
      now: 2,
      nodes: {},
      tasks: {},
      vault: { state: 'open', kind: 'test' },
      eventLoopDelayMs: 0,
      rssBytes: 0,
    };
  }

  status(): CoreStatus {
    return this.#status('', 'test');
  }

  wake(): void {
    this.wakes += 1;
  }

  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }
}
