// SOCKS5 as a proxy speaks it (RFC 1928): no authentication, CONNECT only. Reads what a client sends
// step by step; everything it says is checked.

/** What a client wants to be connected to. */
export interface SocksRequest {
  readonly host: string;
  readonly port: number;
}

export const socksReplies = {
  succeeded: 0,
  failed: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  commandNotSupported: 7,
  addressNotSupported: 8,
} as const;
export type SocksReply = keyof typeof socksReplies;

/** What reading gave: more bytes are needed, or something was read and `rest` comes after it. */
type Read<T> =
  | { readonly kind: 'more' }
  | { readonly kind: 'wrong'; readonly reply: SocksReply | undefined }
  | { readonly kind: 'read'; readonly value: T; readonly rest: Uint8Array };

const version = 5;
const connect = 1;
const addressKinds = { ipv4: 1, domain: 3, ipv6: 4 } as const;
const noAuthentication = 0;

/** The client's greeting. `value` says whether it can do without authentication. */
export function readGreeting(bytes: Uint8Array): Read<{ canGoOn: boolean }> {
  if (bytes.length > 0 && bytes[0] !== version) return { kind: 'wrong', reply: undefined };
  const count = bytes[1];
  if (count === undefined || bytes.length < 2 + count) return { kind: 'more' };
  const methods = bytes.subarray(2, 2 + count);
  return {
    kind: 'read',
    value: { canGoOn: methods.includes(noAuthentication) },
    rest: bytes.subarray(2 + count),
  };
}

/** The answer to a greeting. */
export function greetingAnswer(canGoOn: boolean): Uint8Array {
  return Uint8Array.of(version, canGoOn ? noAuthentication : 0xff);
}

export function readRequest(bytes: Uint8Array): Read<SocksRequest> {
  if (bytes.length < 5) return { kind: 'more' };
  if (bytes[0] !== version) return { kind: 'wrong', reply: undefined };
  const end = addressEnd(bytes);
  if (end === undefined) return { kind: 'wrong', reply: 'addressNotSupported' };
  if (bytes.length < end + 2) return { kind: 'more' };
  if (bytes[1] !== connect) return { kind: 'wrong', reply: 'commandNotSupported' };
  const host = hostOf(bytes.subarray(0, end));
  const port = ((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0);
  if (host === undefined || port === 0) return { kind: 'wrong', reply: 'failed' };
  return { kind: 'read', value: { host, port }, rest: bytes.subarray(end + 2) };
}

/** The answer to a request. The address we are bound to is nobody's business: all zeros. */
export function requestAnswer(reply: SocksReply): Uint8Array {
  return Uint8Array.of(version, socksReplies[reply], 0, addressKinds.ipv4, 0, 0, 0, 0, 0, 0);
}

function addressEnd(bytes: Uint8Array): number | undefined {
  switch (bytes[3]) {
    case addressKinds.ipv4:
      return 8;
    case addressKinds.ipv6:
      return 20;
    case addressKinds.domain:
      return 5 + (bytes[4] ?? 0);
    default:
      return undefined;
  }
}

function hostOf(bytes: Uint8Array): string | undefined {
  if (bytes[3] === addressKinds.ipv4) return [...bytes.subarray(4, 8)].join('.');
  if (bytes[3] === addressKinds.ipv6) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + 4, 16);
    return Array.from({ length: 8 }, (_, at) => view.getUint16(at * 2).toString(16)).join(':');
  }
  const name = String.fromCharCode(...bytes.subarray(5));
  return /^[A-Za-z0-9_.:-]{1,255}$/.test(name) ? name : undefined;
}
