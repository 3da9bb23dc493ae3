// Trying a host before it is a node: its keys, signing in, what it is.
import { AppError } from '../../contract/errors.ts';
import type {
  Finding,
  HostKeyConsent,
  HostKeyReport,
  HostOptions,
  NodeFacts,
} from '../../contract/node.ts';
import type { NodeId } from '../../contract/ids.ts';
import { standingFindings } from '../../domain/nodes/findings.ts';
import type { NodeLink } from '../../link/node-link.ts';
import type { HostAccess, NodesParts } from './ports.ts';
import { probeNode } from './probe.ts';

/** A host that let us in, and what it is. The caller closes the link. */
export interface TriedHost {
  readonly link: NodeLink;
  readonly facts: NodeFacts;
  readonly findings: Finding[];
}

/** What was asked for, as the link room takes it. */
export function accessOf(options: HostOptions): HostAccess {
  return {
    destination: options.destination,
    jumps: options.jumps,
    useSshConfig: options.useSshConfig,
    identityFile: options.identityFile ?? null,
    password: options.password ?? null,
    passphrase: options.passphrase ?? null,
  };
}

export class HostTrial {
  readonly #parts: NodesParts;

  constructor(parts: NodesParts) {
    this.#parts = parts;
  }

  /** The keys shown by the host and by each hop that can be seen so far. Throws LinkError. */
  inspect(access: HostAccess): Promise<readonly HostKeyReport[]> {
    return this.#parts.links.inspect(access, { timeoutMs: this.#timeoutMs });
  }

  /** Signs in and probes. Throws LinkError; keys not seen before are refused without consent. */
  async open(access: HostAccess, consent: HostKeyConsent | undefined): Promise<TriedHost> {
    const link = await this.#parts.links.connect(access, {
      consent: consent ?? null,
      timeoutMs: this.#timeoutMs,
      silenceMs: this.#parts.settings().offlineAfterSeconds * 500,
    });
    try {
      return await this.#look(link);
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  get #timeoutMs(): number {
    return this.#parts.settings().connectTimeoutSeconds * 1000;
  }

  async #look(link: NodeLink): Promise<TriedHost> {
    const report = await probeNode(link, this.#parts);
    const facts = { ...report.facts, ...(await this.#docker(link, report.facts.hostname)) };
    return { link, facts, findings: standingFindings({ ...report, facts }) };
  }

  async #docker(
    link: NodeLink,
    hostname: string,
  ): Promise<Pick<NodeFacts, 'docker' | 'dockerProblem'>> {
    const { runtimes, coreId } = this.#parts;
    // Nothing is run during a trial: the ID only names the node in what would be.
    const context = {
      coreId,
      nodeId: '1' as NodeId,
      nodeName: hostname,
      isLocal: false,
      dockerSockets: [],
    };
    try {
      const { runtime, facts } = await runtimes.docker(link, context);
      await runtime.close();
      return { docker: facts, dockerProblem: null };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { docker: null, dockerProblem: error.message };
    }
  }
}
