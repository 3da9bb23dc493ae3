// `utils` is not among the names Node finds in ssh2's CommonJS.
import ssh2, {
  BaseAgent,
  createAgent,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';

/** A key that lies in an SSH agent. */
export interface AgentKey {
  readonly kind: 'agent';
  /** For people: its comment, or its type. */
  readonly label: string;
  readonly type: string;
  /** The public key as it goes over the wire. */
  readonly blob: Buffer;
  readonly agent: BaseAgent;
  readonly key: ParsedKey;
}

/** Asks the agent behind a socket (or `pageant`) for its keys. Throws whatever went wrong. */
export function listAgentKeys(socket: string): Promise<AgentKey[]> {
  return new Promise((resolve, reject) => {
    const agent = createAgent(socket);
    agent.getIdentities((error, keys) => {
      if (error instanceof Error) reject(error);
      else resolve((keys ?? []).flatMap((key) => agentKeyOf(agent, key)));
    });
  });
}

/** Certificates and hardware keys, which ssh2 cannot use, are left out. */
function agentKeyOf(agent: BaseAgent, raw: unknown): AgentKey[] {
  const parsed = ssh2.utils.parseKey(raw as Buffer);
  if (parsed instanceof Error) return [];
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | undefined;
  if (key === undefined) return [];
  const label = key.comment === '' ? key.type : key.comment;
  return [{ kind: 'agent', label, type: key.type, blob: key.getPublicSSH(), agent, key }];
}

/** An agent that offers only this key, so that each try is ours to count and to name. */
export function singleKeyAgent(key: AgentKey): BaseAgent {
  // The base class's declaration knows nothing of its optional method being left out.
  return new SingleKeyAgent(key);
}

class SingleKeyAgent extends BaseAgent<ParsedKey> {
  readonly #key: AgentKey;

  constructor(key: AgentKey) {
    super();
    this.#key = key;
  }

  override getIdentities(done: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    done(undefined, [this.#key.key]);
  }

  override sign(
    ...[key, data, options, done]: [
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      done?: SignCallback,
    ]
  ): void {
    const agent = this.#key.agent as BaseAgent<ParsedKey>;
    if (typeof options === 'function') agent.sign(key, data, options);
    else agent.sign(key, data, options, done);
  }
}
