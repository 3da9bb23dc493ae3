import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprintOf, hostKeyAlgorithms } from '../../../src-main/link/ssh/host-key.ts';
import { patternsMatch } from '../../../src-main/link/ssh/known-hosts-file.ts';
import { KnownHosts } from '../../../src-main/link/ssh/known-hosts.ts';

function keyOf(type: string, seed: string): Buffer {
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return Buffer.concat([field(Buffer.from(type)), field(Buffer.from(seed.padEnd(32)))]);
}

const ed = keyOf('ssh-ed25519', 'one');
const edOther = keyOf('ssh-ed25519', 'two');
const rsa = keyOf('ssh-rsa', 'three');
const ecdsa = keyOf('ecdsa-sha2-nistp256', 'four');
const line = (names: string, key: Buffer, marker = '') =>
  `${marker}${names} ${key.toString('latin1', 4, 4 + key.readUInt32BE(0))} ${key.toString('base64')} comment`;

function hashed(name: string): string {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
}

describe('KnownHosts', () => {
  let dir: string;
  let own: string;
  let user: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'known-hosts-'));
    own = join(dir, 'sub', 'known_hosts');
    user = join(dir, 'user');
  });
  afterEach(() => rm(dir, { recursive: true }));
  const hosts = () => new KnownHosts({ userFiles: [user], ownFile: own });

  const cases: [string, string[], [string, number, Buffer], string][] = [
    ['nothing known', [], ['h', 22, ed], 'new'],
    ['the same key', [line('h', ed)], ['h', 22, ed], 'known'],
    ['another key of the type', [line('h', edOther)], ['h', 22, ed], 'changed'],
    ['a key of another type only: as OpenSSH, changed', [line('h', rsa)], ['h', 22, ed], 'changed'],
    [
      'a type that cannot be asked for says nothing',
      [line('h', keyOf('sk-ssh-ed25519@openssh.com', 'x'))],
      ['h', 22, ed],
      'new',
    ],
    [
      'several keys of several types',
      [line('h', rsa), line('h', edOther), line('h', ed)],
      ['h', 22, ed],
      'known',
    ],
    ['names in a list', [line('a,h,10.0.0.1', ed)], ['10.0.0.1', 22, ed], 'known'],
    ['upper case', [line('Host.Example', ed)], ['HOST.example', 22, ed], 'known'],
    ['a hashed name', [line(hashed('h'), ed)], ['h', 22, ed], 'known'],
    ['a hashed name with a port', [line(hashed('[h]:2222'), edOther)], ['h', 2222, ed], 'changed'],
    ['another host’s hash', [line(hashed('x'), edOther)], ['h', 22, ed], 'new'],
    ['a port of its own', [line('[h]:2222', ed)], ['h', 2222, ed], 'known'],
    ['a port of its own is another host', [line('[h]:2222', edOther)], ['h', 22, ed], 'new'],
    [
      'the plain name serves other ports when it matches',
      [line('h', ed)],
      ['h', 2222, ed],
      'known',
    ],
    ['and is no witness against them', [line('h', edOther)], ['h', 2222, ed], 'new'],
    ['wildcards', [line('*.lab', edOther)], ['n1.lab', 22, ed], 'changed'],
    ['a question mark', [line('n?.lab', ed)], ['n1.lab', 22, ed], 'known'],
    ['negation', [line('*.lab,!n1.lab', edOther)], ['n1.lab', 22, ed], 'new'],
    ['IPv6', [line('[fe80::1]:2222', ed)], ['fe80::1', 2222, ed], 'known'],
    ['IPv6 on the usual port', [line('fe80::1', ed)], ['FE80::1', 22, ed], 'known'],
    ['revoked', [line('*', ed, '@revoked '), line('h', ed)], ['h', 22, ed], 'revoked'],
    ['another key revoked', [line('*', edOther, '@revoked ')], ['h', 22, ed], 'new'],
    ['an authority is passed over', [line('*', edOther, '@cert-authority ')], ['h', 22, ed], 'new'],
    ['an unknown marker is passed over', [line('h', edOther, '@strange ')], ['h', 22, ed], 'new'],
    [
      'comments and rubbish',
      ['# h ssh-ed25519 AAAA', '', 'h ssh-ed25519', 'h ssh-rsa !!!', line('h', ed)],
      ['h', 22, ed],
      'known',
    ],
    [
      'a type that the key is not',
      [line('h', edOther).replace('ssh-ed25519', 'ssh-rsa')],
      ['h', 22, ed],
      'new',
    ],
  ];
  test.each(cases)('%s', async (...[, lines, [host, port, key], status]) => {
    await writeFile(user, `${lines.join('\r\n')}\n`);
    const verdict = await hosts().check(host, port, key);
    expect(verdict.status).toBe(status);
  });

  test('says where the other key is written', async () => {
    await writeFile(user, `# top\n${line('h', rsa)}\n${line('h', edOther)}\n`);
    expect(await hosts().check('h', 22, ed)).toEqual({
      status: 'changed',
      keyType: 'ssh-ed25519',
      fingerprint: fingerprintOf(ed),
      file: user,
      line: 3,
    });
  });

  test('asks for the types it knows first', async () => {
    await writeFile(user, `${line('h', rsa)}\n${line('h', ecdsa)}\n`);
    const { algorithms } = await hosts().lookup('h', 22);
    expect(algorithms.slice(0, 5)).toEqual([
      'ecdsa-sha2-nistp256',
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-rsa',
      'ssh-ed25519',
    ]);
    expect(new Set(algorithms)).toEqual(new Set(hostKeyAlgorithms([])));
  });

  test('accepts into its own file, once, privately, and leaves the user’s alone', async () => {
    const before = `${line('x', rsa)}\n`;
    await writeFile(user, before);
    const known = hosts();
    await Promise.all([
      known.accept('H', 22, ed),
      known.accept('h', 2222, edOther),
      known.accept('h', 22, ed),
    ]);
    const base64 = (key: Buffer) => key.toString('base64');
    expect(await readFile(own, 'utf8')).toBe(
      `h ssh-ed25519 ${base64(ed)}\n[h]:2222 ssh-ed25519 ${base64(edOther)}\n`,
    );
    expect((await stat(own)).mode & 0o777).toBe(0o600);
    expect(await readFile(user, 'utf8')).toBe(before);
    expect((await hosts().check('h', 22, ed)).status).toBe('known');
  });

  test('forgets a host in its own file only', async () => {
    await writeFile(user, `${line('h', ed)}\n`);
    const known = hosts();
    await known.accept('h', 22, ed);
    await known.accept('other', 22, rsa);
    expect(await known.forget('h', 22)).toBe(1);
    expect(await known.forget('h', 22)).toBe(0);
    expect(await readFile(own, 'utf8')).toContain('other ssh-rsa');
    expect((await known.check('h', 22, ed)).status).toBe('known');
  });

  test('adds a line of its own to a file that ends in the middle of one', async () => {
    const known = hosts();
    await known.accept('a', 22, ed);
    const text = await readFile(own, 'utf8');
    await writeFile(own, text.trimEnd());
    await known.accept('b', 22, rsa);
    expect((await known.check('a', 22, ed)).status).toBe('known');
    expect((await known.check('b', 22, rsa)).status).toBe('known');
  });

  test('an unreadable file is named, not passed over', async () => {
    const known = new KnownHosts({ userFiles: [dir], ownFile: own });
    await expect(known.check('h', 22, ed)).rejects.toMatchObject({
      code: 'link/config',
      details: { file: dir },
    });
  });
});

test('no pattern can stall the matching', () => {
  expect(patternsMatch([`${'*a'.repeat(50)}b`], 'a'.repeat(5_000))).toBe(false);
});
