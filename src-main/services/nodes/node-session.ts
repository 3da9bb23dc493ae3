// One node while its link is open: probed, with its runtimes, its metrics and what others use of it.
import { AppError } from '../../contract/errors.ts';
import type { Finding, GpuFacts, MetricsSample, NodeFacts } from '../../contract/node.ts';
import type { RuntimeKind } from '../../contract/task.ts';
import { standingFindings } from '../../domain/nodes/findings.ts';
import { makeSample } from '../../domain/nodes/metrics-sample.ts';
import type { RawGpus } from '../../domain/nodes/parse-gpu-metrics.ts';
import type { RawSample } from '../../domain/nodes/parse-metrics.ts';
import type { ProbeReport } from '../../domain/nodes/parse-probe.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import type { Logger } from '../logger.ts';
import { foreignUseOf, isSameUse, noForeignUse, type ForeignUse } from './foreign-use.ts';
import { GpuWatch } from './gpu-watch.ts';
import { MetricsStream } from './metrics-stream.ts';
import type { NodesParts, RuntimeContext } from './ports.ts';
import { probeFailure, probeLocalHost, probeNode } from './probe.ts';
import { RuntimeSet } from './runtime-set.ts';

const probeEveryMs = 600_000;
const foreignEveryMs = 30_000;
/** Only for placement near what is there already: late is no harm. */
const imagesEveryMs = 300_000;
/** Changes on a node come in bursts (a batch of containers); one look after them is enough. */
const settleMs = 1_000;
/** How soon after a probe another may follow because nvidia-smi answers again. */
const reprobeAfterMs = 30_000;

/** What a session tells its node. */
export interface SessionEvents {
  /** New facts, to be remembered: the session reads them from the record. */
  factsChanged(facts: NodeFacts): void;
  /** Something the planner or a view reads changed. */
  changed(): void;
  /** A runtime appeared after the session was ready. */
  runtimeAppeared(): void;
  sampled(sample: MetricsSample): void;
}

export interface SessionParts {
  readonly link: NodeLink;
  readonly node: () => NodeRecord;
  readonly nodes: NodesParts;
  readonly events: SessionEvents;
  readonly log: Logger;
}

export class NodeSession implements AsyncDisposable {
  readonly link: NodeLink;
  readonly runtimes: RuntimeSet;
  readonly #parts: SessionParts;
  readonly #gpus: GpuWatch;
  readonly #intervalS: number;
  readonly #timers: Disposable[] = [];
  #stream: MetricsStream | undefined;
  #report: ProbeReport | undefined;
  #probeProblem: string | null = null;
  #probedAt = -Infinity;
  #probing: Promise<void> | undefined;
  #foreign: ForeignUse = noForeignUse;
  #images: ReadonlySet<string> = new Set();
  #foreignSoon: Disposable | undefined;
  #before: RawSample | undefined;
  #diskFreeBytes: number | null = null;
  #isFast = false;
  #isReady = false;
  #isClosed = false;

  constructor(parts: SessionParts) {
    const { nodes } = parts;
    this.#parts = parts;
    this.link = parts.link;
    this.#intervalS = nodes.settings().metricsIntervalSeconds;
    this.#gpus = new GpuWatch({
      clock: nodes.clock,
      intervalMs: this.#intervalS * 1000,
      gpus: () => this.facts?.gpus ?? [],
      held: () => this.#heldGpus(),
    });
    this.runtimes = new RuntimeSet({
      link: parts.link,
      factories: nodes.runtimes,
      timers: nodes.timers,
      log: parts.log,
      context: () => this.#runtimeContext(),
    });
  }

  /** Probes, opens the runtimes and starts the metrics. What fails becomes a finding; it never throws. */
  async start(): Promise<void> {
    // Docker beside the probe: it is reached over its own socket, also where the shell hangs.
    await Promise.all([this.#probe(), this.runtimes.tryDocker()]);
    if (this.#isClosed) return;
    await this.#updateFacts();
    await Promise.all([this.refreshForeign(), this.#refreshImages()]);
    if (this.#hasClosed()) return;
    this.#isReady = true;
    const { timers } = this.#parts.nodes;
    this.#timers.push(
      this.runtimes.onDidChangeKinds((kind) => this.#onKinds(kind)),
      this.runtimes.onDidChange(() => this.#refreshForeignSoon()),
      timers.every(foreignEveryMs, () => void this.refreshForeign()),
      timers.every(imagesEveryMs, () => void this.#refreshImages()),
      timers.every(probeEveryMs, () => void this.probe()),
    );
    this.#startMetrics();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** As last probed over this link, or as remembered. */
  get facts(): NodeFacts | null {
    return this.#parts.node().facts;
  }

  /** The last probe of this link; undefined when none succeeded. */
  get report(): ProbeReport | undefined {
    return this.#report;
  }

  get foreign(): ForeignUse {
    return this.#foreign;
  }

  /** References of the images that are there. */
  get images(): ReadonlySet<string> {
    return this.#images;
  }

  get gpus(): GpuWatch {
    return this.#gpus;
  }

  runtime(kind: RuntimeKind): Runtime | undefined {
    return this.#isReady ? this.runtimes.get(kind) : undefined;
  }

  /** Whether the planner may choose it: known, answering, without errors that made it ail. */
  isHealthy(gpu: GpuFacts): boolean {
    const isKnown = this.facts?.gpuProblem === null && this.#gpus.problem === null;
    return (
      isKnown &&
      this.#report?.ailingGpus.has(gpu.uuid) !== true &&
      !this.#gpus.eccErrors.has(gpu.uuid)
    );
  }

  /** What stands against the node in every list. */
  findings(): Finding[] {
    const live = this.#gpus.problem;
    const problems = [
      ...(this.#probeProblem === null
        ? []
        : [{ id: 'probe', title: 'The node could not be read', detail: this.#probeProblem }]),
      ...(live === null || this.facts?.gpuProblem !== null
        ? []
        : [{ id: 'gpu-unknown', title: 'GPUs are unknown', detail: live }]),
    ];
    const report = this.#reportNow();
    return [
      ...problems.map((problem) => ({ ...problem, level: 'error' as const, fix: null })),
      ...(report === undefined ? [] : standingFindings(report)),
    ];
  }

  /** Looks at the node again. One look at a time: whoever comes during one waits for it. */
  async probe(): Promise<void> {
    await this.#probe();
    if (this.#isClosed) return;
    await this.#updateFacts();
    // The probe reaches the GPUs and the loop does not: it began before there was a driver, or lost its way.
    if (this.facts?.gpuProblem === null && this.#gpus.isSilent) await this.#stream?.restart();
  }

  /** The report with the facts as they stand, Docker's included. */
  #reportNow(): ProbeReport | undefined {
    const { facts } = this;
    return this.#report === undefined || facts === null ? undefined : { ...this.#report, facts };
  }

  /** Everything `doctor` looks at, seen afresh. Undefined when the node could not be read. */
  async examine(): Promise<ProbeReport | undefined> {
    await Promise.all([this.#probe(), this.runtimes.tryDocker()]);
    await this.#updateFacts();
    return this.#probeProblem === null ? this.#reportNow() : undefined;
  }

  get probeProblem(): string | null {
    return this.#probeProblem;
  }

  /** Asks for a sample a second, or for the usual rate. */
  setFast(isFast: boolean): void {
    this.#isFast = isFast;
    this.#stream?.setFast(isFast);
  }

  noteHoldings(): void {
    if (this.#gpus.noteHoldings()) this.#parts.events.changed();
  }

  /** Asks the runtimes what other cores run here. */
  async refreshForeign(): Promise<void> {
    try {
      const use = foreignUseOf(await this.runtimes.list(), this.#parts.nodes.coreId);
      if (this.#isClosed || isSameUse(use, this.#foreign)) return;
      this.#foreign = use;
      if (this.#isReady) this.#parts.events.changed();
    } catch (error) {
      this.#parts.log.error(
        { err: error },
        'listing the work on a node failed in an unexpected way',
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#isReady = false;
    this.#foreignSoon?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    await Promise.all([
      this.#stream?.[Symbol.asyncDispose](),
      this.runtimes[Symbol.asyncDispose](),
    ]);
  }

  /** Asked anew after each wait: the link may have dropped meanwhile. */
  #hasClosed(): boolean {
    return this.#isClosed;
  }

  #probe(): Promise<void> {
    this.#probing ??= this.#look().finally(() => (this.#probing = undefined));
    return this.#probing;
  }

  async #look(): Promise<void> {
    const { nodes, log } = this.#parts;
    this.#probedAt = nodes.clock.monotonic();
    try {
      const isLocal = this.#parts.node().local;
      const usesNode = isLocal && !nodes.localHost.hasScripts;
      this.#report = usesNode ? probeLocalHost(nodes.localHost) : await probeNode(this.link, nodes);
      this.#probeProblem = null;
    } catch (error) {
      if (!(error instanceof AppError))
        log.error({ err: error }, 'probing failed in an unexpected way');
      this.#probeProblem = probeFailure(error);
    }
  }

  /** Brings the probe's facts and what Docker said together, and tells when that made a difference. */
  async #updateFacts(): Promise<void> {
    const found = this.#report?.facts ?? this.facts;
    if (found === null) return;
    const { docker } = this.runtimes;
    const facts: NodeFacts = {
      ...found,
      gpus:
        found.gpuProblem !== null && found.gpus.length === 0
          ? (this.facts?.gpus ?? [])
          : found.gpus,
      docker: docker.kind === 'up' ? docker.facts : null,
      dockerProblem: docker.kind === 'down' ? docker.problem : null,
    };
    if (JSON.stringify(facts) !== JSON.stringify(this.facts))
      this.#parts.events.factsChanged(facts);
    try {
      await this.runtimes.openProcess(facts);
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'processes cannot be run on this node');
    }
  }

  #onKinds(kind: RuntimeKind): void {
    void this.#updateFacts();
    this.#parts.events.changed();
    if (this.runtimes.get(kind) === undefined) return;
    this.#refreshForeignSoon();
    void this.#refreshImages();
    this.#parts.events.runtimeAppeared();
  }

  async #refreshImages(): Promise<void> {
    this.#images = await this.runtimes.images();
  }

  #refreshForeignSoon(): void {
    this.#foreignSoon?.[Symbol.dispose]();
    this.#foreignSoon = this.#parts.nodes.timers.after(settleMs, () => void this.refreshForeign());
  }

  #startMetrics(): void {
    const { nodes, log } = this.#parts;
    if (this.#parts.node().local && !nodes.localHost.hasScripts) {
      const tell = () => this.#parts.events.sampled(nodes.localHost.sample(nodes.clock.now()));
      this.#timers.push(nodes.timers.every(this.#intervalS * 1000, tell));
      return;
    }
    const script = nodes.readScript('metrics.sh');
    const stream = new MetricsStream(
      { link: this.link, timers: nodes.timers, log, script, intervalS: this.#intervalS },
      this.#isFast,
    );
    stream.onDidTick((raw) => this.#onTick(raw));
    stream.onDidReadGpus((raw) => this.#onGpus(raw));
    this.#stream = stream;
    void stream
      .start()
      .catch((error: unknown) =>
        log.error({ err: error }, 'the metrics loop failed in an unexpected way'),
      );
  }

  #onTick(now: RawSample): void {
    const before = this.#before;
    this.#before = now;
    if (this.#gpus.noteTick()) this.#parts.events.changed();
    this.#diskFreeBytes = now.diskFreeBytes ?? this.#diskFreeBytes;
    // Shares and rates are over an interval; the first frame only begins one.
    if (before === undefined) return;
    const at = this.#parts.nodes.clock.now();
    const gpus = this.#gpus.samples;
    this.#parts.events.sampled(
      makeSample({ at, now, before, gpus, diskFreeBytes: this.#diskFreeBytes }),
    );
  }

  #onGpus(raw: RawGpus): void {
    const isChanged = this.#gpus.take(raw);
    if (isChanged) this.#parts.events.changed();
    // It works again, or knows GPUs that the last probe did not: look anew.
    const facts = this.facts;
    const seesNew = [...raw.nvidia.keys()].some(
      (uuid) => facts?.gpus.every((gpu) => gpu.uuid !== uuid) === true,
    );
    const heals = facts?.gpuProblem != null && raw.problem === null && raw.nvidia.size > 0;
    const isDue = this.#parts.nodes.clock.monotonic() - this.#probedAt > reprobeAfterMs;
    if ((seesNew || heals) && isDue) void this.probe();
  }

  #heldGpus(): ReadonlySet<string> {
    const holdings = this.#parts.nodes.work.activeTasks(this.#parts.node().id);
    return new Set(holdings.flatMap(({ place }) => place.gpus.map((gpu) => gpu.uuid)));
  }

  #runtimeContext(): RuntimeContext {
    const { id, name, local } = this.#parts.node();
    const sockets = this.#report?.software.dockerSockets ?? [];
    return {
      coreId: this.#parts.nodes.coreId,
      nodeId: id,
      nodeName: name,
      isLocal: local,
      dockerSockets: sockets.filter(({ usable }) => usable).map(({ path }) => path),
    };
  }
}
