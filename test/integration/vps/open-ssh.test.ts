// OpenSSH and what is built on it reach a VPS by its name, in every SSH mode, before and after
// everything that may come between. Host keys are checked throughout.
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtCli } from '../../support/built.ts';
import { until } from '../../support/core-client.ts';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { requirements, Testbed } from '../../support/testbed.ts';
import { vpsImage } from './support.ts';

const can = await requirements();
/** Each by its SSH mode. */
const names = ['none', 'upload', 'generate'];
const MiB = 2 ** 20;

describe.skipIf(!can.isMet)('OpenSSH reaches a VPS by its name', { timeout: 240_000 }, () => {
  let bed: Testbed;
  let dir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let core: CoreProcess;
  let config: string | undefined;
  let knownHosts: string;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 2, registry: false, images: ['river/vps'] });
    dir = await temporaryDataDir();
    core = await start();
    for (const { address } of bed.nodes) {
      await core.api.nodes.add({
        destination: { host: address, user: 'ops' },
        identityFile: bed.keyPath,
        useSshConfig: false,
        jumps: [],
        consent: 'any-new',
      });
    }
    const publicKey = (await readFile(`${bed.keyPath}.pub`, 'utf8')).trim();
    await create('none', { mode: 'none' });
    await create('upload', { mode: 'upload', publicKey });
    const made = await create('generate', { mode: 'generate', keyFile: keyOf('generate') });
    expect(made).toMatchObject({ keyFile: keyOf('generate') });
    expect(made.privateKey).toBe(await readFile(keyOf('generate'), 'utf8'));
    expect((await stat(keyOf('generate'))).mode & 0o777).toBe(0o600);
    await areReady();
    config = join(dir.path, 'ssh_config');
    const told = await kr('ssh-config');
    expect(told, told.err).toMatchObject({ code: 0, err: '' });
    await writeFile(config, told.out);
    knownHosts = await readFile(join(dir.path, 'ssh', 'known_hosts'), 'utf8');
  });
  afterAll(async () => {
    await core?.stop();
    await dir?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  const start = () => startCoreProcess(dir.path, { KOHAKURIVER_NODES_OFFLINEAFTERSECONDS: '5' });
  const keyOf = (name: string) => join(dir.path, 'keys', name);

  async function create(
    name: string,
    ssh: NonNullable<Parameters<typeof core.api.vps.create>[0]['ssh']>,
  ) {
    const made = await core.api.vps.create({
      name,
      ssh,
      // Two have room on one node.
      target: name === 'generate' ? 'n2' : 'n1',
      vessel: vpsImage,
      memoryBytes: 64 * MiB,
    });
    ids.set(name, made.vps.id);
    return made;
  }
  /** SSH is set up in those that run. */
  async function areReady(): Promise<void> {
    for (const vps of names) {
      await until(async () => {
        const { status, ssh } = await core.api.vps.get({ vps });
        expect(ssh.problem).toBeNull();
        return status === 'RUNNING' && ssh.state === 'ready';
      }, `${vps} runs with SSH`);
    }
  }

  async function run(words: readonly string[], env: Record<string, string> = {}) {
    const [file = '', ...args] = words;
    const child = spawn(file, args, {
      env: { ...process.env, HOME: dir.path, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [code]] = await Promise.all([
      buffer(child.stdout),
      buffer(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, out: out.toString(), err: err.toString() };
  }
  const kr = (...words: string[]) =>
    run([process.execPath, builtCli, '--data-dir', dir.path, ...words]);
  /** The public key that was sent has a private one; the one that was made is in the configuration. */
  const optionsFor = (name: string) => [
    ...['-F', config ?? '', '-o', 'BatchMode=yes'],
    ...(name === 'upload' ? ['-i', bed.keyPath] : []),
  ];
  const ssh = (name: string, command: string) =>
    run(['ssh', ...optionsFor(name), `kr-${name}`, command]);
  async function succeeds(words: readonly string[], env?: Record<string, string>): Promise<string> {
    const { code, out, err } = await run(words, env);
    expect(code, `${words.join(' ')}: ${err}`).toBe(0);
    return out;
  }

  const aboutIt =
    'sha256sum < /root/tree/deep/file; hostname; echo "$KOHAKURIVER_TASK_ID"; git -C /root/repository.git log --format=%s main';
  /** Every VPS is the one it was: by its key, its disk and its name. */
  async function areTheSame(): Promise<void> {
    for (const name of names) {
      // A server takes a moment to start with its container.
      const answer = await until(async () => {
        const { code, out, err } = await ssh(name, aboutIt);
        return code === 255 ? undefined : { code, out, err };
      }, `${name} lets in`);
      expect(answer, `${name}: ${answer.err}`).toMatchObject({
        code: 0,
        out: `${sums.get(name)}  -\n${name}\n${ids.get(name)}\nfirst\n`,
      });
    }
    expect(await readFile(join(dir.path, 'ssh', 'known_hosts'), 'utf8')).toBe(knownHosts);
  }
  const sums = new Map<string, string>();

  test('in every mode: ssh, scp -r, rsync and git push', async () => {
    expect(await readFile(config ?? '', 'utf8')).not.toMatch(/StrictHostKeyChecking (?!yes)/);
    for (const name of names) {
      const options = optionsFor(name);
      const tree = join(dir.path, `tree-${name}`, 'tree');
      await mkdir(join(tree, 'deep'), { recursive: true });
      await writeFile(join(tree, 'deep', 'file'), randomBytes(MiB));
      const sum = (await succeeds(['sha256sum', join(tree, 'deep', 'file')])).slice(0, 64);
      sums.set(name, sum);

      await succeeds(['scp', ...options, '-q', '-r', tree, `kr-${name}:/root/`]);
      const remote = ['rsync', '-a', '--stats', '-e', ['ssh', ...options].join(' ')];
      const again = await succeeds([...remote, '--checksum', `${tree}/`, `kr-${name}:/root/tree/`]);
      expect(again).toMatch(/Number of regular files transferred: 0\n/);

      expect(await ssh(name, 'git init -q --bare -b main /root/repository.git')).toMatchObject({
        code: 0,
      });
      const git = ['git', '-C', tree, '-c', 'user.name=a', '-c', 'user.email=a@b'];
      await succeeds([...git, 'init', '-q', '-b', 'main']);
      await succeeds([...git, 'add', '.']);
      await succeeds([...git, 'commit', '-q', '-m', 'first']);
      await succeeds([...git, 'push', '-q', `kr-${name}:/root/repository.git`, 'main'], {
        GIT_SSH_COMMAND: ['ssh', ...options].join(' '),
      });
    }
    await areTheSame();
  });

  test('kohakuriver cp: into one, from it into another on another node, and back', async () => {
    const cp = async (...words: string[]) => {
      const { code, err } = await kr('cp', '-r', '--overwrite', 'always', ...words);
      expect(code, err).toBe(0);
    };
    const folder = join(dir.path, 'tree-none', 'tree', 'deep');
    const back = join(dir.path, 'back');
    await mkdir(back, { recursive: true });
    for (const name of ['none', 'generate']) {
      expect(await kr('mkdir', '-p', `${name}:/copies`)).toMatchObject({ code: 0 });
    }
    await cp(folder, 'none:/copies');
    await cp('none:/copies/deep', 'generate:/copies');
    await cp('generate:/copies/deep', back);
    await succeeds(['diff', '-r', folder, join(back, 'deep')]);
    const missing = await kr('cp', 'generate:/copies/nothing', back);
    expect(missing.code).not.toBe(0);
    expect(missing.err).toContain('There is no /copies/nothing');
  });

  test('one who has another key is not let in', async () => {
    const other = ['-o', 'IdentitiesOnly=yes', '-i', keyOf('generate')];
    const words = ['ssh', '-F', config ?? '', '-o', 'BatchMode=yes', ...other, 'kr-upload', 'true'];
    const refused = await run(words);
    expect(refused.code).toBe(255);
    expect(refused.err).toContain('Permission denied');
  });

  test('a snapshot goes to another node as a file, by the command line', async () => {
    const { tag } = await core.api.vps.takeSnapshot({ vps: 'none', note: 'to go' });
    const file = join(dir.path, 'none.snapshot.tar.gz');
    const told = await kr('--json', 'vps', 'snapshot', 'export', 'none', tag, file);
    expect(told, told.err).toMatchObject({ code: 0 });
    const { mode, size } = await stat(file);
    expect(JSON.parse(told.out)).toEqual({ file, bytes: size });
    expect(mode & 0o777).toBe(0o600);
    const again = await kr('vps', 'snapshot', 'export', 'none', tag, file);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('--force') as unknown });
    expect(await kr('vps', 'snapshot', 'export', 'none', '1', `${file}.no`)).toMatchObject({
      code: 3,
    });
    const made = await kr(
      '--json',
      'vps',
      'snapshot',
      'import',
      file,
      '--name',
      'moved',
      '--node',
      'n2',
    );
    expect(made, made.err).toMatchObject({ code: 0 });
    const { id } = JSON.parse(made.out) as { id: string };
    await core.reaches(id, ['RUNNING']);
    const seen = await bed.sh(
      'n2',
      `docker exec kohakuriver-vps-${id} sha256sum /root/tree/deep/file`,
    );
    expect(seen.slice(0, 64)).toBe(sums.get('none'));
    // The Engine itself takes the file in as well.
    await bed.sh('n2', 'docker load', { input: await readFile(file) });
    await core.api.vps.remove({ vps: 'moved' });
  });

  test('after stop and start, and a restart', async () => {
    for (const vps of names) await core.api.vps.stop({ vps });
    for (const name of names) await core.reaches(ids.get(name)!, ['STOPPED']);
    const refused = await ssh('none', 'true');
    expect(refused.code).toBe(255);
    expect(refused.err).toContain('STOPPED');
    for (const vps of names) await core.api.vps.start({ vps });
    await areReady();
    await core.api.vps.restart({ vps: 'generate' });
    await until(
      async () => (await core.api.vps.get({ vps: 'generate' })).attempt === 3,
      'it was restarted',
    );
    await areReady();
    await areTheSame();
  });

  test('after the nodes lost their power, while the core was killed and started again', async () => {
    for (const { name } of bed.nodes) await bed.powerCut(name);
    await core.kill();
    core = await start();
    for (const { name: node } of bed.nodes) {
      await bed.boot(node);
      await core.api.nodes.reconnect({ node });
    }
    await areReady();
    await areTheSame();
  });
});
