import { createHash } from 'node:crypto';

/** The algorithm a public key blob names in its first field (RFC 4253, section 6.6). */
export function keyTypeOf(blob: Buffer): string {
  if (blob.length < 4) return 'unknown';
  const length = blob.readUInt32BE(0);
  if (length > 64 || 4 + length > blob.length) return 'unknown';
  return blob.toString('latin1', 4, 4 + length);
}

/** SHA256 fingerprint as OpenSSH prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** `host`, or `[host]:port` when the port is not 22: the name under which known_hosts has it. */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Host key algorithms ssh2 can be asked for, best first, by the type of key that serves each. */
const algorithmsByKeyType = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
} as const;

export type HostKeyAlgorithm =
  (typeof algorithmsByKeyType)[keyof typeof algorithmsByKeyType][number];

/** Whether a server can show us a key of this type at all. */
export function isAskableKeyType(type: string): boolean {
  return Object.hasOwn(algorithmsByKeyType, type);
}

/**
 * The algorithms to ask for, those of the known types first: a server with several keys then
 * shows the one we can check (as OpenSSH's order_hostkeyalgs does).
 */
export function hostKeyAlgorithms(knownTypes: readonly string[]): HostKeyAlgorithm[] {
  const entries = Object.entries(algorithmsByKeyType);
  const known = entries.filter(([type]) => knownTypes.includes(type));
  const others = entries.filter(([type]) => !knownTypes.includes(type));
  return [...known, ...others].flatMap(([, algorithms]) => [...algorithms]);
}
