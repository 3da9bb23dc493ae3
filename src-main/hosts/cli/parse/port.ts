import type { VpsPort } from '../../../contract/vps.ts';
import { UsageError } from '../errors.ts';

const syntax =
  /^(?:(?:(?<address>[0-9.]+|\[[0-9A-Fa-f:]+\]):)?(?<host>\d{0,5}):)?(?<inside>\d{1,5})(?:\/(?<protocol>tcp|udp))?$/;

/** `PORT`, `HOST:PORT`, `ADDRESS:HOST:PORT` or `ADDRESS::PORT`, with `/udp` after it where wanted. Throws UsageError. */
export function parsePort(text: string): VpsPort {
  const groups: Record<string, string | undefined> = syntax.exec(text)?.groups ?? {};
  const { address = '0.0.0.0', host = '', inside = '0', protocol } = groups;
  const container = Number(inside);
  const onNode = host === '' ? null : Number(host);
  if (!isPort(container) || (onNode !== null && !isPort(onNode))) {
    throw new UsageError(
      `"${text}" is not a port: write PORT, HOSTPORT:PORT or ADDRESS:HOSTPORT:PORT, with /udp after it where wanted.`,
    );
  }
  return {
    container,
    host: onNode,
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    address: address.replace(/[[\]]/g, ''),
  };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}
