/** The testbed itself: two beds side by side, and everything a suite may ask of one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gpus, requirements, run, Testbed } from '../../support/testbed.ts';
import { SCRIPT } from '../../testbed/script.ts';

const can = await requirements();
const LONG_MS = 300_000;
const IMAGE = 'river/busybox:1';
const a100s = gpus(2, 'A100');
const [first, second] = a100s.map(({ uuid }) => uuid);
const QUERY = ['nvidia-smi', '--format=csv,noheader,nounits'];

let bed: Testbed;
let other: Testbed;

const words = (text: string): readonly string[] => text.split(' ');

describe.skipIf(!can.isMet)(
  can.isMet ? 'testbed' : `testbed (${can.reason})`,
  { timeout: LONG_MS },
  () => {
    beforeAll(async () => {
      [bed, other] = await Promise.all([
        Testbed.up({
          nodes: 3,
          jumpOnly: 'n3',
          gpus: { n1: { gpus: a100s, links: { '0-1': 'NV12' } } },
          disks: { n1: { '/home': '64M' } },
          images: ['river/busybox'],
        }),
        Testbed.up({ nodes: 1, docker: false }),
      ]);
    }, LONG_MS);

    afterAll(async () => {
      await bed[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      for (const { id, dir } of [bed, other]) {
        // By then, somebody else may have a bed of this name.
        const [owner] = await readFile(`${dir}/owner`, 'utf8').then(words, () => []);
        expect(owner).not.toBe(String(process.pid));
        expect(existsSync(`/run/netns/${id}-n1`) && !existsSync(dir)).toBe(false);
      }
    }, LONG_MS);

    test('two beds have networks, keys and nodes of their own', async () => {
      expect(other.id).not.toBe(bed.id);
      // A browser gives up what it fetches when these change.
      expect(Object.keys(networkInterfaces()).filter((name) => name.startsWith('kr'))).toEqual([
        'kr-host',
      ]);
      expect(other.node('n1').address).not.toBe(bed.node('n1').address);
      await bed.sh('n1', 'echo here > /srv/mark');
      expect((await other.exec('n1', ['cat', '/srv/mark'])).code).toBe(1);
      expect((await other.ssh('n1', 'hostname', { user: 'root' })).stdout).toBe('n1\n');
      expect(
        (await other.exec('n1', ['busybox', 'ping', '-c1', '-W1', bed.node('n2').address])).code,
      ).not.toBe(0);
    });

    test('each user gets in the way it should, and only those with the right reach Docker', async () => {
      const answers = await Promise.all(
        (['root', 'ops', 'plain', 'pw'] as const).map((user) =>
          bed.ssh('n1', 'id -un; docker ps -q && echo docker', { user }),
        ),
      );
      expect(answers.map(({ stdout }) => stdout)).toEqual([
        'root\ndocker\n',
        'ops\ndocker\n',
        'plain\n',
        'pw\n',
      ]);
    });

    test("sshd keeps OpenSSH's limits", async () => {
      const settings = await bed.sh('n1', 'sshd -T');
      expect(settings).toContain('maxsessions 10\n');
      expect(settings).toContain('maxstartups 10:30:100\n');
    });

    test("nodes do not see the host's files", async () => {
      expect(await bed.sh('n1', 'ls -A /tmp')).toBe('');
      expect(await bed.sh('n1', `ls -A ${process.cwd()} 2>/dev/null || true`)).toBe('');
    });

    test('a node behind another is reached only through it', async () => {
      const { address, jumpThrough } = bed.node('n3');
      expect(jumpThrough).toBe('n1');
      const direct = [
        'ssh',
        '-F',
        'none',
        '-o',
        'BatchMode=yes',
        '-o',
        'ConnectTimeout=2',
        `root@${address}`,
        'true',
      ];
      expect((await run(direct)).stderr).toContain('timed out');
      expect((await bed.ssh('n3', 'hostname')).stdout).toBe('n3\n');
    });

    test('containers run, and pulls come from the registry', async () => {
      expect(
        await bed.sh('n1', `docker run --rm ${IMAGE} sh -c 'echo from $(hostname | wc -c)'`),
      ).toBe('from 13');
      const name = `${String(bed.registry?.address)}/river/vps:1`;
      expect(await bed.sh('n2', `docker pull ${name}`)).toContain('Downloaded newer image');
      const mine = await bed.pushImage('n2', IMAGE);
      await bed.sh('n1', `docker rmi ${mine} && docker pull -q ${mine}`);
    });

    test('the private registry wants a login', async () => {
      const registry = String(bed.registry?.privateAddress);
      expect((await bed.exec('n2', ['docker', 'pull', `${registry}/${IMAGE}`])).stderr).toContain(
        'no basic auth credentials',
      );
      await bed.sh('n2', `docker login -u river --password-stdin ${registry}`, { input: 'river' });
      await bed.sh('n2', `docker pull -q ${registry}/${IMAGE}`);
    });

    test('a slow registry makes a pull long', async () => {
      await bed.slow('registry', '2mbit');
      const started = performance.now();
      await bed.sh(
        'n2',
        `docker image prune -af > /dev/null && docker pull -q ${String(bed.registry?.address)}/${IMAGE}`,
      );
      expect(performance.now() - started).toBeGreaterThan(2500);
      await bed.fast('registry');
    });

    test('nvidia-smi answers any selection of fields', async () => {
      const { stdout } = await bed.exec('n1', [
        ...QUERY,
        '--query-gpu=index,uuid,name,memory.total,fan.speed,pcie.link.gen.max',
      ]);
      expect(stdout).toBe(
        a100s
          .map(
            ({ uuid }, index) =>
              `${String(index)}, ${uuid}, NVIDIA A100-SXM4-80GB, 81920, [N/A], [N/A]\n`,
          )
          .join(''),
      );
      expect(await bed.sh('n1', 'nvidia-smi -L | wc -l; nvidia-smi topo -m | sed -n 2p')).toMatch(
        /^2\nGPU0\t X \tNV12\t/,
      );
      expect((await bed.exec('n1', [...QUERY, '--query-gpu=index,colour'])).code).toBe(2);
    });

    test("someone else's process holds GPU memory until it ends", async () => {
      const apps = [...QUERY, '--query-compute-apps=gpu_uuid,pid,process_name,used_memory'];
      const pid = await bed.occupyGpu('n1', {
        user: 'plain',
        gpu: 1,
        memoryMiB: 3000,
        name: 'train',
      });
      expect((await bed.exec('n1', apps)).stdout).toBe(
        `${String(second)}, ${String(pid)}, train, 3000\n`,
      );
      expect(await bed.sh('n1', `ps -o user= -p ${String(pid)}`)).toBe('plain');
      expect(await bed.sh('n1', `${QUERY.join(' ')} --query-gpu=memory.used`)).toBe('0\n3000');
      await bed.sh(
        'n1',
        `kill ${String(pid)}; while [ -d /proc/${String(pid)} ]; do sleep 0.05; done`,
      );
      expect((await bed.exec('n1', apps)).stdout).toBe('');
    });

    test('nvidia-smi fails as told, from one question to the next', async () => {
      const ask = (): ReturnType<Testbed['exec']> =>
        bed.exec('n1', ['timeout', '1', 'nvidia-smi', '-L']);
      await bed.setGpus('n1', { gpus: a100s, fault: { kind: 'hang' } });
      expect((await ask()).code).toBe(124);
      await bed.setGpus('n1', {
        gpus: a100s,
        fault: { kind: 'exit', code: 9, text: 'NVIDIA-SMI has failed' },
      });
      expect(await ask()).toMatchObject({ code: 9, stdout: 'NVIDIA-SMI has failed\n' });
      await bed.setGpus('n1', { gpus: a100s, fault: { kind: 'garbage' } });
      expect((await ask()).stdout.length).toBeGreaterThan(50);
      await bed.setGpus('n1', { gpus: a100s, fault: { kind: 'missing' } });
      expect((await ask()).code).toBe(127);
      await bed.setGpus('n1', { gpus: a100s });
      expect((await ask()).stdout).toContain(first);
    });

    test('the Engine accepts GPU requests, and the container sees what it asked for', async () => {
      const ask = (gpu: string): ReturnType<Testbed['exec']> =>
        bed.exec('n1', [
          'docker',
          'run',
          '--rm',
          '--gpus',
          gpu,
          IMAGE,
          'sh',
          '-c',
          'echo $NVIDIA_VISIBLE_DEVICES; nvidia-smi -L',
        ]);
      expect((await ask(`"device=${String(second)}"`)).stdout).toBe(
        `${String(second)}\nGPU 0: NVIDIA A100-SXM4-80GB (UUID: ${String(second)})\n`,
      );
      expect((await ask('"device=GPU-none"')).stderr).toContain('unknown device');
      const name = `${String(bed.registry?.address)}/${IMAGE}`;
      const { stderr } = await bed.exec('n2', [
        'docker',
        'run',
        '--rm',
        '--gpus',
        'all',
        name,
        'true',
      ]);
      expect(stderr).toContain('could not select device driver');
    });

    test('a cut link is silent, and heals', async () => {
      const ping = async (): Promise<number> =>
        (await bed.exec('n2', ['busybox', 'ping', '-c1', '-W1', 'n1'])).code;
      await bed.cutLink('n1', 'n2');
      expect(await ping()).not.toBe(0);
      expect((await bed.ssh('n1', 'true')).code).toBe(0);
      await bed.healLink('n1', 'n2');
      expect(await ping()).toBe(0);
      await bed.cutLink('n1');
      await expect(bed.ssh('n1', 'true', { timeoutMs: 1500 })).rejects.toThrow('no answer');
      expect(await ping()).toBe(0);
      await bed.healLink('n1');
      expect((await bed.ssh('n1', 'true')).code).toBe(0);
    });

    test('a disk of its own runs full', async () => {
      const write = (): ReturnType<Testbed['exec']> =>
        bed.exec('n1', ['dd', 'if=/dev/zero', 'of=/home/ops/file', 'bs=64k', 'count=4'], {
          user: 'ops',
        });
      await bed.fillDisk('n1', '/home');
      expect((await write()).stderr).toContain('No space left on device');
      await bed.freeDisk('n1', '/home');
      expect((await write()).code).toBe(0);
      await expect(bed.fillDisk('n1', '/var')).rejects.toThrow('no disk of its own');
    });

    test('a memory limit kills what goes beyond it', async () => {
      await bed.memoryLimit('n3', 400 * 2 ** 20);
      expect(
        (await bed.exec('n3', ['sh', '-c', 'head -c 800M /dev/zero | tail -c 700M | wc -c']))
          .stdout,
      ).not.toContain('734003200');
      await bed.memoryLimit('n3', 'max');
      expect((await bed.exec('n3', ['docker', 'ps'])).code).toBe(0);
    });

    test('a container outlives dockerd', async () => {
      const id = await bed.sh(
        'n2',
        `docker run -d ${String(bed.registry?.address)}/${IMAGE} sleep 1000`,
      );
      await bed.killDockerd('n2');
      expect((await bed.exec('n2', ['docker', 'ps'])).code).toBe(1);
      await bed.startDockerd('n2');
      expect(
        await bed.sh(
          'n2',
          `docker inspect -f '{{.State.Running}} {{.RestartCount}}' ${id}; docker rm -f ${id} > /dev/null`,
        ),
      ).toBe('true 0');
    });

    test('a power cut is silent, keeps the disk and changes the boot ID', async () => {
      const bootId = await bed.sh(
        'n1',
        'docker create --name kept river/busybox:1 true; echo kept > /home/ops/mark; cat /proc/sys/kernel/random/boot_id',
      );
      const session = spawn('ssh', bed.sshArgv('n1', 'ops', ['echo in; sleep 1000']).slice(1));
      await once(session.stdout, 'data');
      await bed.powerCut('n1');
      expect(
        await Promise.race([
          once(session, 'exit'),
          new Promise((resolve) => setTimeout(resolve, 1500, 'silent')),
        ]),
      ).toBe('silent');
      session.kill('SIGKILL');
      expect((await bed.exec('n1', ['true'])).stderr).toContain('not running');
      await bed.boot('n1');
      expect((await bed.ssh('n1', 'cat mark; docker inspect -f {{.Name}} kept')).stdout).toBe(
        'kept\n/kept\n',
      );
      expect(bootId).not.toContain(await bed.sh('n1', 'cat /proc/sys/kernel/random/boot_id'));
      expect((await bed.exec('n1', ['nvidia-smi', '-L'])).stdout).toContain(first);
    });

    test('a node can be added, and its host key can change', async () => {
      const before = await other.boot('n2');
      expect((await other.ssh('n2', 'hostname')).stdout).toBe('n2\n');
      const after = await other.changeHostKey('n2');
      expect(after.hostKeySha256).not.toBe(before.hostKeySha256);
      expect((await other.ssh('n2', 'true')).stderr).toContain(
        'REMOTE HOST IDENTIFICATION HAS CHANGED',
      );
    });

    test('what a killed owner leaves is swept', async () => {
      const owner = spawn('sleep', ['1000']);
      const info = (
        await run(['bash', SCRIPT, 'up', '1', '--no-docker', '--owner', String(owner.pid)])
      ).stdout;
      const left = {
        id: /^bed (\S+)$/m.exec(info)?.[1] ?? '',
        dir: /^dir (\S+)$/m.exec(info)?.[1] ?? '',
      };
      const [pid = ''] = (await readFile(`${left.dir}/n1/pid`, 'utf8')).split(' ');
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      expect((await run(['bash', SCRIPT, 'sweep'])).code).toBe(0);
      expect(
        [left.dir, `/proc/${pid}`, `/run/netns/${left.id}-n1`, `/run/netns/${left.id}-sw`].filter(
          existsSync,
        ),
      ).toEqual([]);
      expect((await run(['ip', 'link', 'show', `${left.id}-h`])).code).not.toBe(0);
    });
  },
);
