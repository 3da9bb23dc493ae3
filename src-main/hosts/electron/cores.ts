// Which core the app shows: the one of this computer, or one elsewhere. The core here goes on
// whichever is shown.
import { coreHere, type CoreAddress, type KnownCore } from '../../contract/desktop.ts';
import { toErrorShape, RequestError, type ErrorShape } from '../../contract/errors.ts';
import type { HostKeyConsent, HostKeyReport, SshDestination } from '../../contract/node.ts';
import { memoryPorts } from '../../contract/wire/memory-port.ts';
import type { WirePort } from '../../contract/wire/port.ts';
import { Emitter } from '../../domain/emitter.ts';
import type { Links } from '../../services/nodes/ports.ts';
import { relay, type CoreAccess } from './core-access.ts';
import type { CoresFile } from './cores-file.ts';
import { checkCoreUrl, inspectCoreHost, RemoteCore } from './remote-core.ts';

export interface CoresOptions {
  access: CoreAccess;
  file: CoresFile;
  links: () => Pick<Links, 'connect' | 'inspect'>;
  newId: () => string;
}

export interface CoreToAdd {
  name: string;
  address: CoreAddress;
  token?: string | undefined;
  consent?: HostKeyConsent | undefined;
}

const here: KnownCore = { id: coreHere, name: 'This computer', address: null, secret: null };

export class Cores {
  readonly #options: CoresOptions;
  readonly #changed = new Emitter<'list' | 'current' | 'problem'>();
  readonly onDidChange = this.#changed.event;
  readonly #open = new Set<WirePort>();
  #remote: RemoteCore | undefined;
  #problem: ErrorShape | null = null;

  constructor(options: CoresOptions) {
    this.#options = options;
  }

  get list(): KnownCore[] {
    return [here, ...this.#options.file.list()];
  }

  get current(): KnownCore {
    return this.list.find(({ id }) => id === this.#options.file.current) ?? here;
  }

  get problem(): ErrorShape | null {
    return this.#problem;
  }

  /** Connects a page, or this app's own client, to the core that is shown. Throws why it cannot. */
  async connect(page: WirePort): Promise<void> {
    const { current } = this;
    try {
      if (current.address === null) await this.#options.access.connect(page);
      else relay(page, await this.#remoteCore(current).open());
    } catch (error) {
      if (current.id === this.current.id) this.#setProblem(toErrorShape(error));
      throw error;
    }
    if (current.id !== this.current.id) {
      page.close();
      return;
    }
    this.#open.add(page);
    page.onClose(() => this.#open.delete(page));
    this.#setProblem(null);
  }

  /** A port to the core that is shown. */
  async openPort(): Promise<WirePort> {
    const [ours, far] = memoryPorts();
    try {
      await this.connect(far);
    } catch (error) {
      far.close();
      throw error;
    }
    return ours;
  }

  inspect(destination: SshDestination): Promise<HostKeyReport[]> {
    return inspectCoreHost(this.#options.links(), destination);
  }

  /** Adds a core that answered, and shows it. Throws why it does not answer; then nothing has changed. */
  async add(core: CoreToAdd): Promise<KnownCore> {
    const { file, links, newId } = this.#options;
    const { name, address, token, consent } = core;
    if (this.list.some((known) => known.name === name))
      throw new RequestError('conflict/name-taken', `There is a core called ${name} already.`);
    if (address.kind === 'url') checkCoreUrl(address.url);
    const trial = new RemoteCore({ address, token: () => token, links: links() });
    try {
      (await trial.open(consent)).close();
    } finally {
      await trial[Symbol.asyncDispose]();
    }
    const added = file.add(newId(), { name, address, token });
    await this.switchTo(added.id);
    return added;
  }

  async switchTo(id: string): Promise<void> {
    if (!this.list.some((known) => known.id === id)) throw noSuchCore();
    if (id === this.current.id) return;
    this.#options.file.choose(id);
    await this.#leave();
  }

  async forget(id: string): Promise<void> {
    if (this.#options.file.find(id) === undefined) throw noSuchCore();
    const wasShown = id === this.current.id;
    this.#options.file.forget(id);
    if (wasShown) await this.#leave();
    else this.#changed.emit('list');
  }

  /** After sleep a connection may be dead without knowing it. */
  async reconnect(): Promise<void> {
    if (this.current.address === null) return;
    await this.#closeAll();
  }

  async stop(): Promise<void> {
    await this.#closeAll();
  }

  async #leave(): Promise<void> {
    this.#problem = null;
    await this.#closeAll();
    this.#changed.emit('current');
  }

  async #closeAll(): Promise<void> {
    const remote = this.#remote;
    this.#remote = undefined;
    for (const page of [...this.#open]) page.close();
    this.#open.clear();
    await remote?.[Symbol.asyncDispose]();
  }

  #remoteCore({ id, address }: KnownCore): RemoteCore {
    if (address === null) throw noSuchCore();
    const { file, links } = this.#options;
    return (this.#remote ??= new RemoteCore({
      address,
      token: () => file.tokenOf(id),
      links: links(),
    }));
  }

  #setProblem(problem: ErrorShape | null): void {
    const isNews = JSON.stringify(problem) !== JSON.stringify(this.#problem);
    this.#problem = problem;
    if (isNews) this.#changed.emit('problem');
  }
}

function noSuchCore(): RequestError {
  return new RequestError('input/invalid', 'There is no such core in the list.', {
    details: { field: 'id' },
  });
}
