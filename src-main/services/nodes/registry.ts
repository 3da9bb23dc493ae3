// The registered nodes by ID and by name, and their records.
import { RequestError } from '../../contract/errors.ts';
import type { NodeId } from '../../contract/ids.ts';
import type { HostOptions, SshAddress } from '../../contract/node.ts';
import { labels as labelsSchema, type Labels } from '../../contract/task.ts';
import type { NodeRecord } from '../../store/node-rows.ts';
import { AlreadyAddedError, NodeNameTakenError, UnknownNodeError } from './errors.ts';
import type { ManagedNode } from './managed-node.ts';
import type { HostAccess, NodeSecrets } from './ports.ts';

const byName = new Intl.Collator('en', { numeric: true });

export class Registry {
  readonly #byId = new Map<NodeId, ManagedNode>();
  /** Asked for on every submission and pass: sorted anew only when a name came, went or changed. */
  #sorted: { readonly names: readonly string[]; readonly nodes: readonly ManagedNode[] } = {
    names: [],
    nodes: [],
  };

  add(node: ManagedNode): void {
    this.#byId.set(node.record.id, node);
  }

  delete(id: NodeId): void {
    this.#byId.delete(id);
  }

  get(id: NodeId): ManagedNode | undefined {
    return this.#byId.get(id);
  }

  /** By name, without case, or by ID. */
  find(reference: string): ManagedNode | undefined {
    const name = reference.toLowerCase();
    return (
      this.all().find(({ record }) => record.name.toLowerCase() === name) ??
      this.#byId.get(reference as NodeId)
    );
  }

  /** @throws UnknownNodeError */
  need(reference: string): ManagedNode {
    const node = this.find(reference);
    if (node === undefined) throw new UnknownNodeError(reference);
    return node;
  }

  /** In the order of names. */
  all(): readonly ManagedNode[] {
    const { names, nodes } = this.#sorted;
    const isInOrder =
      nodes.length === this.#byId.size &&
      nodes.every(
        (node, at) => node.record.name === names[at] && this.#byId.get(node.record.id) === node,
      );
    if (isInOrder) return nodes;
    const sorted = [...this.#byId.values()].sort((a, b) =>
      byName.compare(a.record.name, b.record.name),
    );
    this.#sorted = { names: sorted.map(({ record }) => record.name), nodes: sorted };
    return sorted;
  }

  names(): string[] {
    return [...this.#byId.values()].map(({ record }) => record.name);
  }

  /** @throws NodeNameTakenError unless the name is free, or its own. */
  refuseTakenName(name: string, own?: NodeId): void {
    const holder = this.find(name);
    if (
      holder !== undefined &&
      holder.record.id !== own &&
      holder.record.name.toLowerCase() === name.toLowerCase()
    ) {
      throw new NodeNameTakenError(holder.record.name);
    }
  }

  /** @throws AlreadyAddedError when the same user at the same address is a node. */
  refuseKnownAddress({ host, port, user }: SshAddress): void {
    const known = this.all().find(({ record }) => {
      const resolved = record.address?.resolved;
      return resolved?.host === host && resolved.port === port && resolved.user === user;
    });
    if (known !== undefined) throw new AlreadyAddedError(known.record.name, 'address');
  }

  /**
   * Machines cloned from one image share a machine ID, so the host name has to agree too.
   * @throws AlreadyAddedError when the machine is a node under another address.
   */
  refuseKnownMachine({
    machineId,
    hostname,
  }: {
    machineId: string | null;
    hostname: string;
  }): void {
    if (machineId === null) return;
    const known = this.all().find(
      ({ record: { facts } }) => facts?.machineId === machineId && facts.hostname === hostname,
    );
    if (known !== undefined) throw new AlreadyAddedError(known.record.name, 'machine');
  }
}

/** Labels with changes; null removes one. @throws RequestError `input/invalid` */
export function changedLabels(
  before: Labels,
  changes: Readonly<Record<string, string | null>>,
): Labels {
  const merged = Object.entries({ ...before, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  const result = labelsSchema.safeParse(Object.fromEntries(merged));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new RequestError(
    'input/invalid',
    `The label ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not allowed'}.`,
  );
}

/** How the user gets in, with secrets put into the vault. */
export function authOf(id: NodeId, options: HostOptions, secrets: NodeSecrets): NodeRecord['auth'] {
  const scope = `node/${id}`;
  const keep = (name: string, value: string | undefined) =>
    value === undefined ? null : secrets.put({ scope, name, value });
  const withKey = options.identityFile === undefined ? 'agent-or-keys' : 'identity-file';
  return {
    kind: options.password === undefined ? withKey : 'password',
    identityFile: options.identityFile ?? null,
    password: keep('password', options.password),
    passphrase: keep('passphrase', options.passphrase),
  };
}

/** The way to a remembered node. Throws VaultError while its secrets cannot be read. */
export function accessTo(
  { address, auth }: NodeRecord,
  secrets: NodeSecrets,
): HostAccess | undefined {
  if (address === null) return undefined;
  return {
    destination: address.destination,
    jumps: address.jumps,
    useSshConfig: address.useSshConfig,
    identityFile: auth.identityFile,
    password: auth.password === null ? null : (secrets.get(auth.password) ?? null),
    passphrase: auth.passphrase === null ? null : (secrets.get(auth.passphrase) ?? null),
  };
}
