import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  listSshConfigHosts,
  parseProxyJump,
  resolveSshDestination,
} from '../../../src-main/link/ssh/config.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ssh-config-'));
  await mkdir(join(home, '.ssh', 'conf.d'), { recursive: true });
});
afterEach(() => rm(home, { recursive: true }));

async function config(text: string, name = 'config'): Promise<void> {
  await writeFile(join(home, '.ssh', name), text);
}

function resolve(host: string, more: { user?: string; port?: number } = {}) {
  return resolveSshDestination({
    destination: { host, ...more },
    useSshConfig: true,
    homeDir: home,
  });
}

describe('resolveSshDestination', () => {
  test('fills in what is not given, first value first', async () => {
    await config(`
Host gpu
  HostName 10.0.0.5
  User anna
  Port 2222
  IdentityFile ~/.ssh/gpu
  IdentityFile "%d/keys/%r at %h"
  IdentitiesOnly yes
  HostKeyAlias gpu-lab
Host *
  User nobody
  Port 9
  IdentityFile ~/.ssh/all
`);
    expect(await resolve('gpu')).toEqual([
      {
        host: '10.0.0.5',
        port: 2222,
        user: 'anna',
        hostKeyAlias: 'gpu-lab',
        identityFiles: [`${home}/.ssh/gpu`, `${home}/keys/anna at 10.0.0.5`, `${home}/.ssh/all`],
        certificateFiles: [],
        identitiesOnly: true,
        identityAgent: undefined,
      },
    ]);
    expect((await resolve('gpu', { user: 'bert', port: 7 }))[0]).toMatchObject({
      user: 'bert',
      port: 7,
    });
  });

  test('without a file, or with it switched off, defaults count', async () => {
    const plain = { host: 'h', port: 22, user: userInfo().username };
    expect((await resolve('h'))[0]).toMatchObject(plain);
    await config('Host h\n  Port 5\n');
    const off = { destination: { host: 'h' }, useSshConfig: false, homeDir: home };
    expect((await resolveSshDestination(off))[0]).toMatchObject(plain);
  });

  test('patterns, negation, keywords in any case, equals signs', async () => {
    await config('host *.lab !n3.lab\n  USER=lab\nHost n?.lab\n  port 23\n');
    expect((await resolve('n1.lab'))[0]).toMatchObject({ user: 'lab', port: 23 });
    expect((await resolve('n3.lab'))[0]).toMatchObject({ user: userInfo().username, port: 23 });
  });

  test('HostName with a token', async () => {
    await config('Host n*\n  HostName %h.lab.example\n');
    expect((await resolve('n1'))[0]?.host).toBe('n1.lab.example');
  });

  test('Match by host, original host and user; exec never runs', async () => {
    const marker = join(home, 'ran');
    await config(`
Host a
  HostName real
Match host real
  Port 11
Match originalhost a user eve
  IdentityAgent none
Match exec "touch ${marker}"
  User hacked
Match all
  IdentitiesOnly yes
`);
    expect((await resolve('a', { user: 'eve' }))[0]).toMatchObject({
      host: 'real',
      port: 11,
      user: 'eve',
      identityAgent: 'none',
      identitiesOnly: true,
    });
    await expect(rm(marker)).rejects.toThrow('ENOENT');
  });

  test('includes, also inside of a Host block and through a pattern', async () => {
    await config('Include conf.d/*.conf\nHost late\n  Include late.conf\nHost *\n  Port 1\n');
    await config('Host one\n  User first\n', 'conf.d/1.conf');
    await config('Host one\n  User second\n  Port 2\n', 'conf.d/2.conf');
    await config('User inner\n', 'late.conf');
    expect((await resolve('one'))[0]).toMatchObject({ user: 'first', port: 2 });
    expect((await resolve('late'))[0]).toMatchObject({ user: 'inner', port: 1 });
    expect((await resolve('other'))[0]?.user).toBe(userInfo().username);
  });

  test('a file that includes itself is named', async () => {
    await config('Include config\n');
    await expect(resolve('h')).rejects.toMatchObject({ code: 'link/config' });
  });

  test('jump hosts, each with its own settings; the first may have jumps of its own', async () => {
    await config(`
Host inner
  ProxyJump second,eve@third:2200
Host second
  HostName 10.0.0.2
  User two
  ProxyJump outer
Host third
  ProxyJump ignored
Host outer
  Port 2022
`);
    const hops = await resolve('inner');
    expect(hops.map(({ user, host, port }) => `${user}@${host}:${port}`)).toEqual([
      `${userInfo().username}@outer:2022`,
      'two@10.0.0.2:22',
      'eve@third:2200',
      `${userInfo().username}@inner:22`,
    ]);
  });

  test('given jumps win over the file', async () => {
    await config('Host a\n  ProxyJump b\n  ProxyCommand nc %h %p\n');
    const jumps = [{ host: 'c', user: 'cc' }];
    const hops = await resolveSshDestination({
      destination: { host: 'a' },
      jumps,
      useSshConfig: true,
      homeDir: home,
    });
    expect(hops.map((hop) => hop.host)).toEqual(['c', 'a']);
  });

  test('jumps that go round are named', async () => {
    await config('Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n');
    await expect(resolve('a')).rejects.toMatchObject({ code: 'link/config' });
  });

  test('ProxyCommand is a named error, unless a jump comes first', async () => {
    await config(
      'Host a\n  ProxyCommand nc %h %p\nHost b\n  ProxyJump c\n  ProxyCommand x\nHost d\n  ProxyCommand none\n',
    );
    await expect(resolve('a')).rejects.toMatchObject({ code: 'link/unsupported' });
    expect(await resolve('b')).toHaveLength(2);
    expect(await resolve('d')).toHaveLength(1);
  });

  test('a wrong port is named', async () => {
    await config('Host a\n  Port ninety\n');
    await expect(resolve('a')).rejects.toMatchObject({
      code: 'link/config',
      details: { host: 'a' },
    });
  });
});

test('parseProxyJump reads users, ports, IPv6 and URIs', () => {
  expect(parseProxyJump('a, u@b:2 ,[fe80::1]:22,ssh://x@y:3/')).toEqual([
    { host: 'a' },
    { host: 'b', user: 'u', port: 2 },
    { host: 'fe80::1', port: 22 },
    { host: 'y', user: 'x', port: 3 },
  ]);
  expect(parseProxyJump('none')).toEqual([]);
  expect(() => parseProxyJump('a::b')).toThrow('no host');
});

test('listSshConfigHosts names the plain hosts, also of included files', async () => {
  await config('Host a b *.lab !c\nInclude more\nHost *\n  User x\nHost a d?\nHost e\n');
  await config('Host inc\n', 'more');
  const path = join(home, '.ssh', 'config');
  expect(await listSshConfigHosts(path, home)).toEqual(['a', 'b', 'inc', 'e']);
  expect(await listSshConfigHosts(join(home, 'none'), home)).toEqual([]);
});
