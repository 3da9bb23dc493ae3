// What people paste to name a host, `user@host:port` or a whole `ssh …` command, into what the
// contract asks for. Understands the options that matter for reaching a host and names the rest.
import type { SshDestination } from '../../src-main/contract/node.ts';
import { splitWords } from './shell-words.ts';

export interface HostLine {
  destination: SshDestination;
  identityFile?: string;
  jumps: SshDestination[];
  /** Options that were there and mean nothing to us. */
  ignored: string[];
}
export type HostLineResult = { ok: true; host: HostLine } | { ok: false; problem: string };

const hostPattern = /^(?:([^\s@:]+)@)?(?:\[([^\]\s]+)\]|([^\s@:[\]]+))(?::(\d{1,5}))?$/;
const bareIpv6 = /^(?:([^\s@:]+)@)?([0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/;

/** Reads `user@host:port`, `[::1]:22`, a bare IPv6 address or an `ssh://` address. */
export function parseDestination(text: string): SshDestination | undefined {
  const bare = text
    .trim()
    .replace(/^ssh:\/\//, '')
    .replace(/\/$/, '');
  const six = bareIpv6.exec(bare);
  if (six?.[2] !== undefined) return destination({ host: six[2], user: six[1] });
  const match = hostPattern.exec(bare);
  if (match === null) return undefined;
  const [, user, bracketed, name, portText] = match;
  const host = bracketed ?? name ?? '';
  const port = portText === undefined ? undefined : Number(portText);
  if (host.startsWith('-') || (port !== undefined && !isPort(port))) return undefined;
  return destination({ host, user, port });
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

function destination(parts: {
  host: string;
  user?: string | undefined;
  port?: number | undefined;
}): SshDestination {
  return {
    host: parts.host,
    ...(parts.user === undefined ? {} : { user: parts.user }),
    ...(parts.port === undefined ? {} : { port: parts.port }),
  };
}

/** ssh's options that take a value; those not handled below are reported as ignored. */
const withValue = new Set('BbcDEeFIiJLlmOopQRSWw'.split(''));

interface Options {
  values: Map<string, string>;
  ignored: string[];
  host: string | undefined;
}

/** Reads a host as typed, or the words after `ssh` as pasted. */
export function parseHostLine(text: string): HostLineResult {
  const trimmed = text.trim();
  if (trimmed === '') return { ok: false, problem: 'Type a host, such as user@host.' };
  const split = splitWords(trimmed);
  if (!split.ok) return { ok: false, problem: split.problem };
  const words = split.words[0] === 'ssh' ? split.words.slice(1) : split.words;
  const options = readOptions(words);
  if (options.host === undefined) {
    return { ok: false, problem: 'There is no host in this. Write it like user@host:22.' };
  }
  return fromOptions(options.host, options);
}

function readOptions(words: readonly string[]): Options {
  const options: Options = { values: new Map(), ignored: [], host: undefined };
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (!word.startsWith('-')) {
      // The first bare word is the host; what follows it is a remote command, which is not ours.
      options.host = word;
      options.ignored.push(...words.slice(i + 1));
      break;
    }
    const letter = word.charAt(1);
    if (!withValue.has(letter)) {
      options.ignored.push(word);
      continue;
    }
    const attached = word.slice(2);
    const value = attached === '' ? (words[(i += 1)] ?? '') : attached;
    keepOption(options, letter, value);
  }
  return options;
}

function keepOption(options: Options, letter: string, value: string): void {
  if ('iJlp'.includes(letter)) {
    options.values.set(letter, value);
    return;
  }
  const setting = letter === 'o' ? /^(\w+)\s*[= ]\s*(.+)$/.exec(value) : null;
  const known = { port: 'p', user: 'l', identityfile: 'i', proxyjump: 'J' } as Record<
    string,
    string
  >;
  const as = setting?.[1] === undefined ? undefined : known[setting[1].toLowerCase()];
  if (as !== undefined && setting?.[2] !== undefined) options.values.set(as, setting[2]);
  else options.ignored.push(`-${letter} ${value}`);
}

function fromOptions(hostWord: string, { values, ignored }: Options): HostLineResult {
  const parsed = parseDestination(hostWord);
  if (parsed === undefined) {
    return { ok: false, problem: `«${hostWord}» is not a host. Write it like user@host:22.` };
  }
  const port = values.get('p');
  if (port !== undefined && !/^\d{1,5}$/.test(port)) {
    return { ok: false, problem: `«${port}» is not a port (1 to 65535).` };
  }
  const jumps = (values.get('J') ?? '')
    .split(',')
    .filter((jump) => jump !== '')
    .map(parseDestination);
  if (jumps.includes(undefined)) {
    return {
      ok: false,
      problem: 'One of the jump hosts cannot be read. Write them like user@jump:22.',
    };
  }
  const user = parsed.user ?? values.get('l');
  const identityFile = values.get('i');
  return {
    ok: true,
    host: {
      destination: destination({
        host: parsed.host,
        user,
        port: parsed.port ?? (port === undefined ? undefined : Number(port)),
      }),
      jumps: jumps.filter((jump) => jump !== undefined),
      ignored,
      ...(identityFile === undefined ? {} : { identityFile }),
    },
  };
}

/** A destination as it is written, `user@host:port`. */
export function destinationText({ host, user, port }: SshDestination): string {
  const bracketed = host.includes(':') && port !== undefined ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${bracketed}${port === undefined ? '' : `:${String(port)}`}`;
}
