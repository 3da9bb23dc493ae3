// The steps of adding a node: name the host, confirm its keys, look at what it is, add it. Nothing
// is stored before the last step.
import type {
  Finding,
  HostKeyReport,
  HostOptions,
  NodeFacts,
  NodeView,
} from '../../src-main/contract/node.ts';
import { nodeName } from '../../src-main/contract/ids.ts';
import type { CoreClient } from '../lib/client.ts';
import { codeOf, isAbort, toProblem, type Problem } from '../lib/problem.ts';
import { parseDestination, parseHostLine } from '../lib/ssh-line.ts';
import { AppError } from '../../src-main/contract/errors.ts';

export type Step = 'host' | 'keys' | 'result';
type Fingerprint = HostKeyReport['fingerprint'];

export interface Found {
  facts: NodeFacts;
  findings: readonly Finding[];
  auth: string;
}

export class AddNode {
  readonly #client: CoreClient;
  step = $state<Step>('host');
  hostText = $state('');
  identityFile = $state('');
  password = $state('');
  passphrase = $state('');
  jumpsText = $state('');
  useSshConfig = $state(true);
  name = $state('');
  #keys = $state.raw<readonly HostKeyReport[]>([]);
  #found = $state.raw<Found | undefined>(undefined);
  #problem = $state.raw<Problem | undefined>(undefined);
  #isBusy = $state(false);
  #confirmed: Fingerprint[] = [];
  #abort = new AbortController();

  readonly parsed = $derived(parseHostLine(this.hostText));
  readonly jumps = $derived(
    this.jumpsText
      .split(/[\s,]+/)
      .filter((text) => text !== '')
      .map((text) => ({ text, destination: parseDestination(text) })),
  );
  readonly jumpProblem = $derived(
    this.jumps.find(({ destination }) => destination === undefined)?.text,
  );
  readonly nameProblem = $derived(
    this.name === '' || nodeName.safeParse(this.name).success
      ? undefined
      : 'Letters, digits, «.», «_» or «-», at most 63.',
  );
  readonly canGoOn = $derived(this.parsed.ok && this.jumpProblem === undefined && !this.#isBusy);
  /** Keys that nobody may click away. */
  readonly hasBadKey = $derived(
    this.#keys.some(({ status }) => status === 'changed' || status === 'revoked'),
  );

  constructor(client: CoreClient) {
    this.#client = client;
  }

  get keys(): readonly HostKeyReport[] {
    return this.#keys;
  }
  get found(): Found | undefined {
    return this.#found;
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** What the contract is asked with; undefined while the host cannot be read. */
  options(): HostOptions | undefined {
    if (!this.parsed.ok || this.jumpProblem !== undefined) return undefined;
    const { host } = this.parsed;
    const identityFile =
      this.identityFile.trim() === '' ? host.identityFile : this.identityFile.trim();
    const typed = this.jumps.flatMap(({ destination }) =>
      destination === undefined ? [] : [destination],
    );
    return {
      destination: host.destination,
      jumps: typed.length > 0 ? typed : host.jumps,
      useSshConfig: this.useSshConfig,
      ...(identityFile === undefined ? {} : { identityFile }),
      ...(this.password === '' ? {} : { password: this.password }),
      ...(this.passphrase === '' ? {} : { passphrase: this.passphrase }),
    };
  }

  /** Looks at the host's keys; goes on by itself when all of them are known. */
  async inspect(): Promise<void> {
    const options = this.options();
    if (options === undefined) return;
    await this.#work(async (signal) => {
      const { hostKeys } = await this.#client.api.nodes.inspectHost(options, { signal });
      this.#keys = hostKeys;
      this.#confirmed = [];
      if (hostKeys.every(({ status }) => status === 'known')) await this.#try(options, signal);
      else this.step = 'keys';
    });
  }

  /** The person has compared the fingerprints shown. */
  async confirm(): Promise<void> {
    const options = this.options();
    if (options === undefined || this.hasBadKey) return;
    this.#confirmed = [...this.#confirmed, ...this.#keys.map(({ fingerprint }) => fingerprint)];
    await this.#work((signal) => this.#try(options, signal));
  }

  /** Adds the node as it was found. */
  async add(): Promise<NodeView | undefined> {
    const options = this.options();
    if (options === undefined) return undefined;
    let added: NodeView | undefined;
    await this.#work(async (signal) => {
      const name = this.name.trim();
      added = await this.#client.api.nodes.add(
        {
          ...options,
          ...(name === '' ? {} : { name }),
          consent: { fingerprints: this.#confirmed },
        },
        { signal },
      );
    });
    return added;
  }

  back(): void {
    this.#cancel();
    this.#problem = undefined;
    this.step = 'host';
  }

  stop(): void {
    this.#cancel();
    this.password = '';
    this.passphrase = '';
  }

  async #try(options: HostOptions, signal: AbortSignal): Promise<void> {
    this.#found = await this.#client.api.nodes.tryHost(
      { ...options, consent: { fingerprints: this.#confirmed } },
      { signal },
    );
    if (this.name === '' && nodeName.safeParse(this.#found.facts.hostname).success) {
      this.name = this.#found.facts.hostname;
    }
    this.step = 'result';
  }

  async #work(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#cancel();
    const abort = new AbortController();
    this.#abort = abort;
    this.#isBusy = true;
    this.#problem = undefined;
    try {
      await work(abort.signal);
    } catch (error) {
      if (!isAbort(error) && !this.#askForFurtherKey(error)) {
        this.#problem = toProblem(error);
        // What can be mended about signing in is on the first page.
        if (this.step === 'keys' && this.#problem.code.startsWith('link/')) this.step = 'host';
      }
    } finally {
      if (this.#abort === abort) this.#isBusy = false;
    }
  }

  /** A host behind a jump shows its key only now: it is confirmed like the others. */
  #askForFurtherKey(error: unknown): boolean {
    if (codeOf(error) !== 'link/host-key-unknown' || !(error instanceof AppError)) return false;
    const { fingerprint, host, keyType } = error.details;
    if (typeof fingerprint !== 'string') return false;
    this.#keys = [
      {
        host: String(host ?? 'the next host'),
        keyType: String(keyType ?? ''),
        fingerprint,
        status: 'new',
      },
    ];
    this.step = 'keys';
    return true;
  }

  #cancel(): void {
    this.#abort.abort();
    this.#isBusy = false;
  }
}
