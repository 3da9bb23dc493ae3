import { mkdir, mkdtemp, readFile, rm, symlink, writeFile, lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SshHost } from '../../../src-main/contract/ssh.ts';
import {
  aliasOf,
  hostBlock,
  withHost,
  withInclude,
  withKnownKeys,
} from '../../../src-main/domain/forwards/open-ssh.ts';
import { OpenSshFiles } from '../../../src-main/store/open-ssh-files.ts';

const options = { command: "'/opt/kr/bin/kohakuriver'", knownHosts: '/data/ssh/known_hosts' };
const host = (id: string, name: string | null, changes: Partial<SshHost> = {}): SshHost => ({
  id,
  name,
  hostKeyAlias: `kohakuriver-vps-${id}`,
  user: 'root',
  port: 22,
  identityFile: null,
  hostKeys: [`ssh-ed25519 KEY${id}`],
  ...changes,
});
const anna = host('1', 'anna-dev');
const ben = host('2', 'ben');

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kohakuriver-ssh-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('a host is called by its name, as far as ssh takes it', () => {
  expect(aliasOf(anna)).toBe('kr-anna-dev');
  expect(aliasOf({ id: '7', name: 'My Work!' })).toBe('kr-my-work');
  expect(aliasOf({ id: '7', name: null })).toBe('kr-7');
  expect(aliasOf({ id: '7', name: '…' })).toBe('kr-7');
});

test('a block checks host keys, and what ssh expands is doubled', () => {
  const block = hostBlock(host('3', 'c', { identityFile: '/home/a/100%/id' }), {
    command: "'/opt/50%/kohakuriver'",
    knownHosts: '/data/k',
  });
  expect(block).toBe(`Host kr-c
  HostKeyAlias kohakuriver-vps-3
  User root
  ProxyCommand '/opt/50%%/kohakuriver' proxy 3
  IdentityFile "/home/a/100%%/id"
  UserKnownHostsFile "/data/k"
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  UpdateHostKeys no
`);
});

test('a host that was renamed or takes another one’s name leaves one block behind', () => {
  const both = withHost(withHost('', anna, options), ben, options);
  expect(both.match(/^Host .*/gm)).toEqual(['Host kr-anna-dev', 'Host kr-ben']);
  const renamed = withHost(both, host('1', 'anna'), options);
  expect(renamed.match(/^Host .*/gm)).toEqual(['Host kr-ben', 'Host kr-anna']);
  const taken = withHost(renamed, host('9', 'ben'), options);
  expect(taken.match(/^Host .*/gm)).toEqual(['Host kr-anna', 'Host kr-ben']);
  expect(taken).toContain('proxy 9');
  expect(withHost(both, ben, options)).toBe(both);
});

test('keys of others stay, and old keys of a host go', () => {
  const before = withKnownKeys('', [anna, ben]);
  const after = withKnownKeys(before, [host('1', 'anna-dev', { hostKeys: ['ssh-rsa NEW'] })]);
  expect(after).toBe('kohakuriver-vps-2 ssh-ed25519 KEY2\nkohakuriver-vps-1 ssh-rsa NEW\n');
});

test('the line of ours is the first, and there once', () => {
  const user = 'Host a\n  Port 3\n';
  const once = withInclude(user, '/data/ssh/config');
  expect(once).toBe(`Include "/data/ssh/config"\n\n${user}`);
  expect(withInclude(once, '/data/ssh/config')).toBe(once);
});

test('the user’s configuration is kept beside, and a link to it stays one', async () => {
  const files = new OpenSshFiles({ dataDir: join(dir, 'data'), homeDir: join(dir, 'home') });
  const real = join(dir, 'dotfiles');
  await mkdir(join(dir, 'home', '.ssh'), { recursive: true });
  await writeFile(real, 'Host a\n');
  await symlink(real, files.userConfig);
  await files.putHost(anna, options.command);
  expect(await files.isIncluded()).toBe(false);
  await files.include();
  await files.include();
  expect(await files.isIncluded()).toBe(true);
  expect((await lstat(files.userConfig)).isSymbolicLink()).toBe(true);
  expect(await readFile(real, 'utf8')).toBe(`Include "${files.config}"\n\nHost a\n`);
  expect(await readFile(`${files.userConfig}.before-kohakuriver`, 'utf8')).toBe('Host a\n');
  expect(await readFile(files.knownHosts, 'utf8')).toBe('kohakuriver-vps-1 ssh-ed25519 KEY1\n');
});
