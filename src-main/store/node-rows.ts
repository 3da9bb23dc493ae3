import { z } from 'zod';
import { instant, nodeId, nodeName, type Instant, type NodeId } from '../contract/ids.ts';
import { nodeFacts, sshAddress, sshDestination, type NodeFacts } from '../contract/node.ts';
import { labels, type Labels } from '../contract/task.ts';
import type { SqlValue } from './connection.ts';
import { StoreError } from './errors.ts';
import { parseJson } from './json.ts';

/** How a node is reached, without anything secret. */
export const nodeAddress = z.strictObject({
  /** As it was given; the user's `~/.ssh/config` may say more about it. */
  destination: sshDestination,
  /** What it came to when it was added. */
  resolved: sshAddress.nullable(),
  jumps: z.array(sshDestination),
  useSshConfig: z.boolean(),
});
export type NodeAddress = z.infer<typeof nodeAddress>;

/** An entry of the vault. */
export const secretId = z.number().int().positive().brand<'SecretId'>();
export type SecretId = z.infer<typeof secretId>;

/** How the user is let in there. Secrets are named, never held. */
export const nodeAuth = z.strictObject({
  kind: z.enum(['local', 'agent-or-keys', 'identity-file', 'password']),
  identityFile: z.string().nullable(),
  password: secretId.nullable(),
  passphrase: secretId.nullable(),
});
export type NodeAuth = z.infer<typeof nodeAuth>;

/** A node as it is remembered. */
export interface NodeRecord {
  readonly id: NodeId;
  readonly name: string;
  /** This computer. */
  readonly local: boolean;
  /** Null for this computer. */
  readonly address: NodeAddress | null;
  readonly auth: NodeAuth;
  readonly labels: Labels;
  readonly drained: boolean;
  readonly disabled: boolean;
  /** As last probed. Null before the first time, and when they cannot be read any more. */
  readonly facts: NodeFacts | null;
  readonly addedAt: Instant;
  readonly lastSeen: Instant | null;
  /** Removed nodes stay as history. */
  readonly removedAt: Instant | null;
}

const text = z.string();
const row = z.object({
  id: nodeId,
  name: nodeName,
  is_local: z.number(),
  address_json: text.nullable(),
  auth_json: text,
  labels_json: text,
  is_drained: z.number(),
  is_disabled: z.number(),
  facts_json: text.nullable(),
  added_at: instant,
  last_seen_at: instant.nullable(),
  removed_at: instant.nullable(),
});

export const nodeColumns = `
  CAST(id AS TEXT) AS id, name, is_local, address_json, auth_json, labels_json, is_drained,
  is_disabled, facts_json, added_at, last_seen_at, removed_at`;

/** Told of facts that cannot be read; they count as not known. */
export type OnUnreadableFacts = (node: { readonly id: string; readonly error: StoreError }) => void;

/** @throws StoreError `store/corrupt` for anything but facts. */
export function toNodeRecord(found: unknown, onUnreadableFacts: OnUnreadableFacts): NodeRecord {
  const r = row.parse(found);
  return {
    id: r.id,
    name: r.name,
    local: r.is_local === 1,
    address:
      r.address_json === null ? null : parseJson(nodeAddress, r.address_json, 'address_json'),
    auth: parseJson(nodeAuth, r.auth_json, 'auth_json'),
    labels: parseJson(labels, r.labels_json, 'labels_json'),
    drained: r.is_drained === 1,
    disabled: r.is_disabled === 1,
    facts: readFacts(r.facts_json, (error) => onUnreadableFacts({ id: r.id, error })),
    addedAt: r.added_at,
    lastSeen: r.last_seen_at,
    removedAt: r.removed_at,
  };
}

function readFacts(
  json: string | null,
  onUnreadable: (error: StoreError) => void,
): NodeRecord['facts'] {
  if (json === null) return null;
  try {
    return parseJson(nodeFacts, json, 'facts_json');
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    onUnreadable(error);
    return null;
  }
}

/** In the order of `nodeColumns`. */
export function nodeValues(node: NodeRecord): SqlValue[] {
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  return [
    BigInt(node.id),
    node.name,
    Number(node.local),
    json(node.address),
    JSON.stringify(node.auth),
    JSON.stringify(node.labels),
    Number(node.drained),
    Number(node.disabled),
    json(node.facts),
    node.addedAt,
    node.lastSeen,
    node.removedAt,
  ];
}
