// VPSes on real nodes: their life, SSH inside, snapshots, and everything that may come between.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requirements } from '../../support/testbed.ts';
import { until } from '../../support/core.ts';
import { bareImage, createVps, reachesStatus, vpsBed, vpsIs, type VpsBed } from './support.ts';

const can = await requirements();

describe.skipIf(!can.isMet)('a VPS', { timeout: 240_000 }, () => {
  let it: VpsBed;

  beforeAll(async () => {
    it = await vpsBed({ nodes: 2, images: ['river/busybox', 'river/vps'] });
  });
  afterAll(async () => {
    await it?.[Symbol.asyncDispose]();
  });

  const inside = (id: string, text: string, node = 'n1') =>
    it.bed.sh(node, `docker exec kohakuriver-vps-${id} sh -c '${text}'`);

  test('waits in the queue, runs, and keeps its disk over stop and start', async () => {
    const { core, bed } = it;
    const { vps } = await createVps(core, { name: 'anna', target: 'n1', cores: 1 });
    expect(vps).toMatchObject({ name: 'anna', hasDisk: false });
    const running = await reachesStatus(core, 'anna', 'RUNNING');
    expect(running).toMatchObject({ node: 'n1', attempt: 1, hasDisk: true });
    await vpsIs(core, 'anna', ({ health }) => health?.ip != null, 'with an address');
    const about = JSON.parse(await bed.sh('n1', `docker inspect kohakuriver-vps-${vps.id}`)) as [
      { HostConfig: { RestartPolicy: { Name: string } }; Config: { Hostname: string } },
    ];
    expect(about[0].HostConfig.RestartPolicy.Name).toBe('unless-stopped');
    expect(about[0].Config.Hostname).toBe('anna');
    await inside(vps.id, 'echo kept > /root/note');

    await core.api.vps.stop({ vps: 'anna' });
    await expect(core.api.vps.start({ vps: 'anna' })).rejects.toMatchObject({
      code: 'conflict/state',
    });
    expect(await reachesStatus(core, 'anna', 'STOPPED')).toMatchObject({
      reason: 'stopped by tester',
      node: 'n1',
      hasDisk: true,
    });
    await core.api.vps.update({ vps: 'anna', memoryBytes: 2 ** 27 });
    await core.api.vps.start({ vps: 'anna', now: true });
    expect(await reachesStatus(core, 'anna', 'RUNNING')).toMatchObject({ attempt: 2 });
    expect(await inside(vps.id, 'cat /root/note')).toBe('kept');
    const limit = `docker inspect -f '{{.HostConfig.Memory}}' kohakuriver-vps-${vps.id}`;
    expect(await bed.sh('n1', limit)).toBe(String(2 ** 27));
    await core.api.vps.update({ vps: 'anna', memoryBytes: 2 ** 28 });
    expect(await bed.sh('n1', limit)).toBe(String(2 ** 28));
  });

  test('what it uses is measured while somebody watches', async () => {
    const { core } = it;
    const { id } = await core.api.vps.get({ vps: 'anna' });
    await inside(id, '(while [ -e /root/note ]; do :; done) > /dev/null 2>&1 &');
    const leaving = new AbortController();
    const { signal } = leaving;
    for await (const { value } of await core.api.vps.watchUse(undefined, { signal })) {
      const own = [value].flat().find((use) => use.id === id);
      if (own === undefined || (own.cores ?? 0) < 0.05) continue;
      expect(own.memoryBytes).toBeGreaterThan(0);
      expect(own.processes).toBeGreaterThan(1);
      break;
    }
    leaving.abort();
    await inside(id, 'mv /root/note /root/kept && sleep 1 && mv /root/kept /root/note');
  });

  test('is refused without a trace where the key is none, the name is taken, or nothing has room', async () => {
    const { core } = it;
    const before = await core.api.vps.list();
    const bad = { mode: 'upload', publicKey: 'ssh-ed25519 hello' } as const;
    await expect(createVps(core, { name: 'bad', ssh: bad })).rejects.toMatchObject({
      code: 'vps/key-invalid',
    });
    await expect(createVps(core, { name: 'anna' })).rejects.toMatchObject({
      code: 'conflict/name-taken',
    });
    await expect(core.api.vps.update({ vps: 'anna', cores: 4000 })).rejects.toMatchObject({
      code: 'vps/no-room',
    });
    expect(await core.api.vps.list()).toHaveLength(before.length);
  });

  test('runs on without SSH where it cannot be set up, and says why', async () => {
    const { core } = it;
    await createVps(core, { name: 'bare', target: 'n1', vessel: bareImage, ssh: { mode: 'none' } });
    const failed = await vpsIs(core, 'bare', ({ ssh }) => ssh.state === 'failed', 'without SSH');
    expect(failed.status).toBe('RUNNING');
    expect(failed.ssh.problem).toMatch(/no package manager/);
    await expect(core.api.vps.setUpSsh({ vps: 'bare' })).rejects.toMatchObject({
      code: 'vps/ssh-setup',
    });
  });

  test('that crashes again and again is shown as that', async () => {
    const { core } = it;
    const { id } = await core.api.vps.get({ vps: 'bare' });
    // A moment later, so that the command itself ends before its container does.
    await inside(
      id,
      'mkdir -p /etc/kohakuriver; echo "exit 7" > /etc/kohakuriver/boot.sh; (sleep 1; kill -TERM 1) > /dev/null 2>&1 &',
    );
    const looping = await vpsIs(
      core,
      'bare',
      // While it is up between two crashes, Docker tells no exit code.
      ({ health }) => health?.isCrashLooping === true && health.lastExitCode === 7,
      'crashing again and again',
    );
    expect(looping).toMatchObject({ status: 'RUNNING', health: { lastExitCode: 7 } });
    await core.api.vps.stop({ vps: 'bare' });
    await reachesStatus(core, 'bare', 'STOPPED');
    await core.api.vps.remove({ vps: 'bare' });
    await expect(core.api.vps.get({ vps: 'bare' })).rejects.toMatchObject({
      code: 'not-found/vps',
    });
  });

  test('fails with the reason where a port of its node is taken', async () => {
    const { core } = it;
    const ports = [{ container: 80, host: 8088 }];
    await core.api.vps.stop({ vps: 'anna' });
    await reachesStatus(core, 'anna', 'STOPPED');
    await createVps(core, { name: 'web-1', target: 'n1', ports });
    expect(
      await vpsIs(core, 'web-1', ({ health }) => (health?.ports.length ?? 0) > 0, 'published'),
    ).toMatchObject({
      health: { ports: [{ container: 80, host: 8088 }] },
    });
    await createVps(core, { name: 'web-2', target: 'n1', ports });
    const failed = await reachesStatus(core, 'web-2', 'FAILED');
    expect(failed.reason).toMatch(/port .*8088.* taken/i);
    for (const vps of ['web-1', 'web-2']) await core.api.vps.remove({ vps });
    await core.api.vps.start({ vps: 'anna' });
    await reachesStatus(core, 'anna', 'RUNNING');
  });

  test('gets its disk back from a snapshot, and is cloned to another node', async () => {
    const { core, bed } = it;
    const { id } = await core.api.vps.get({ vps: 'anna' });
    const good = await core.api.vps.takeSnapshot({ vps: 'anna', note: 'before the mess' });
    await inside(id, 'echo broken > /root/note');
    await expect(core.api.vps.restore({ vps: 'anna', tag: good.tag })).rejects.toMatchObject({
      code: 'conflict/state',
    });
    await core.api.vps.stop({ vps: 'anna', snapshot: true });
    await reachesStatus(core, 'anna', 'STOPPED');
    await vpsIs(core, 'anna', ({ busy }) => busy === null, 'idle');
    const all = await core.api.vps.snapshots({ vps: 'anna' });
    expect(all.map(({ note }) => note)).toEqual([
      'before it was stopped by tester',
      'before the mess',
    ]);
    await core.api.vps.restore({ vps: 'anna', tag: good.tag });
    await core.api.vps.start({ vps: 'anna' });
    await reachesStatus(core, 'anna', 'RUNNING');
    expect(await inside(id, 'cat /root/note')).toBe('kept');

    await core.api.vps.clone({ vps: 'anna', name: 'anna-two', tag: good.tag, node: 'n2' });
    const clone = await reachesStatus(core, 'anna-two', 'RUNNING');
    expect(clone).toMatchObject({ node: 'n2' });
    expect(await inside(clone.id, 'cat /root/note', 'n2')).toBe('kept');
    await expect(core.api.vps.clone({ vps: 'anna', name: 'anna-two' })).rejects.toMatchObject({
      code: 'conflict/name-taken',
    });

    await core.api.vps.update({ vps: 'anna', snapshots: { keep: 1 } });
    await core.api.vps.takeSnapshot({ vps: 'anna' });
    // What a container was made from stays, whatever is kept.
    const left = await core.api.vps.snapshots({ vps: 'anna' });
    expect(left.map(({ tag }) => tag)).toContain(good.tag);
    expect(left).toHaveLength(2);
    await expect(core.api.vps.deleteSnapshot({ vps: 'anna', tag: '1' })).rejects.toMatchObject({
      code: 'not-found/snapshot',
    });
    await core.api.vps.remove({ vps: 'anna-two' });
    expect(await bed.sh('n2', 'docker ps -aq --filter name=kohakuriver-vps-never')).toBe('');
  });

  test('what is kept for a registry is used by every pull, and is kept on no node', async () => {
    const { core, bed } = it;
    const host = bed.registry!.privateAddress;
    const vessel = { kind: 'image', reference: `${host}/river/busybox:1` } as const;
    const { registries } = core.api;
    const login = (changes: { host?: string; password?: string; verify?: boolean }) =>
      registries.login({ host, username: 'river', password: 'river', node: 'n1', ...changes });
    await expect(login({ password: 'wrong' })).rejects.toMatchObject({ code: 'registry/denied' });
    await expect(login({ host: '127.0.0.1:9' })).rejects.toMatchObject({
      code: 'registry/unreachable',
    });
    expect(await registries.list()).toEqual([]);
    const run = (target: string) =>
      core.submit({ work: { kind: 'command', argv: ['true'] }, targets: [target], vessel });
    const refused = await core.api.tasks.get({ task: await run('n1') });
    expect(await core.reaches(refused.id, ['FAILED'])).toMatchObject({
      reason: expect.stringContaining('registry login') as unknown,
    });

    expect(await login({ host: `http://${host}/v2/` })).toEqual({
      host,
      username: 'river',
      verifiedOn: 'n1',
    });
    expect(await registries.list()).toEqual([{ host, username: 'river' }]);
    await core.reaches(await run('n1'), ['COMPLETED']);
    await createVps(core, { name: 'private', target: 'n2', vessel });
    await reachesStatus(core, 'private', 'RUNNING');
    await core.api.vps.remove({ vps: 'private', snapshot: false });
    for (const node of ['n1', 'n2']) {
      await bed.sh(node, `docker rmi -f ${vessel.reference}`);
      expect(await bed.sh(node, 'ls -d /root/.docker /home/*/.docker 2> /dev/null || true')).toBe(
        '',
      );
    }
    const text = `FROM ${vessel.reference}\nRUN true\n`;
    await core.api.environments.create({
      name: 'private',
      origin: { kind: 'dockerfile', text },
      node: 'n1',
    });
    const built = await until(async () => {
      const { build } = await core.api.environments.get({ environment: 'private' });
      return build?.state === 'preparing' ? undefined : build;
    }, 'the Dockerfile has ended');
    expect(built).toMatchObject({ state: 'built', problem: null });
    await core.api.environments.remove({ environment: 'private' });

    expect(await registries.logout({ host })).toEqual({ host });
    await expect(registries.logout({ host })).rejects.toMatchObject({ code: 'not-found/registry' });
    await bed.sh('n1', `docker rmi -f ${vessel.reference}`);
    await core.reaches(await run('n1'), ['FAILED']);
  });

  test('images of a node: pulled, shown with what uses them, let go when nothing does', async () => {
    const { core, bed } = it;
    const { images } = core.api;
    const node = 'n2';
    const sh = (text: string) => bed.sh(node, text);
    const reference = `${bed.registry!.address}/river/busybox:1`;
    const named = async (name: string) =>
      (await images.list({ node })).find(({ names }) => names.includes(name));
    await sh(`docker rmi -f ${reference}`);
    const pull = async (wanted: string) => {
      let said = '';
      const stream = core.client.openStream('images.pull', { node, reference: wanted });
      for await (const bytes of stream) said += Buffer.from(bytes).toString();
      return said.trim().split('\n').at(-1);
    };
    const answer = await pull(reference);
    const id = await sh(`docker images -q --no-trunc ${reference}`);
    expect(answer).toBe(JSON.stringify({ id }));
    expect(await named(reference)).toMatchObject({ id, kind: null });
    await expect(pull(`${reference}0`)).rejects.toMatchObject({ code: 'docker/image-not-found' });
    await images.remove({ node, image: reference });
    expect(await named(reference)).toBeUndefined();
    await expect(images.remove({ node, image: reference })).rejects.toMatchObject({
      code: 'not-found/image',
    });

    await sh(
      `docker run -d --name first river/busybox:1 sleep 1000 && docker commit first own:1 && docker rm -f first
       docker run -d --name somebodys own:1 sleep 1000
       docker commit somebodys spare:1 && docker commit -m again somebodys spare:1`,
    );
    expect(await named('own:1')).toMatchObject({ usedBy: ['somebodys'] });
    await expect(images.remove({ node, image: 'own:1' })).rejects.toMatchObject({
      code: 'image/in-use',
    });
    const nameless = async () =>
      (await sh('docker images -q --no-trunc -f dangling=true')).split('\n').filter(Boolean).sort();
    const preview = await images.previewPrune({ node });
    expect(preview.map((item) => item.id).sort()).toEqual(await nameless());
    expect(preview.length).toBeGreaterThan(0);
    const all = (await images.previewPrune({ node, unused: true })).flatMap(({ names }) => names);
    expect(all).toContain('spare:1');
    expect(all).not.toContain('own:1');
    expect(all.filter((name) => name.startsWith('kohakuriver'))).toEqual([]);
    await images.prune({ node, ids: preview.map((item) => item.id) });
    expect(await nameless()).toEqual([]);
    expect(await named('spare:1')).toBeDefined();
    await sh('docker rm -f somebodys && docker rmi spare:1 own:1');
  });

  test('leaves its node as a file, and becomes a VPS of another; what is damaged leaves no trace', async () => {
    const { core, bed } = it;
    const { tag } = (await core.api.vps.snapshots({ vps: 'anna' })).at(-1)!;
    const chunks: Uint8Array[] = [];
    for await (const bytes of core.client.openStream('vps.exportSnapshot', { vps: 'anna', tag })) {
      chunks.push(Buffer.from(bytes));
    }
    const file = Buffer.concat(chunks);
    const images = () => bed.sh('n2', 'docker images -aq --no-trunc | sort -u');
    const before = await images();
    const sent = async function* (bytes: Buffer) {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    };
    const take = async (bytes: Buffer, input: { name?: string; node?: string }) => {
      const upload = sent(bytes);
      const answer = core.client.openStream('vps.importSnapshot', input, { upload });
      for await (const line of answer) return JSON.parse(Buffer.from(line).toString()) as object;
      throw new Error('There was no answer.');
    };
    await expect(take(file, { node: 'n2' })).rejects.toMatchObject({
      code: 'conflict/name-taken',
    });
    const moved = { name: 'moved', node: 'n2' };
    await expect(take(file.subarray(0, -2000), moved)).rejects.toMatchObject({
      code: 'snapshot/damaged',
    });
    await expect(take(Buffer.from('hello'), moved)).rejects.toMatchObject({
      code: 'snapshot/not-ours',
    });
    const leaving = new AbortController();
    const half = async function* () {
      yield file.subarray(0, file.length >> 1);
      leaving.abort(new Error('enough'));
      await new Promise(() => undefined);
    };
    const left = core.client.openStream('vps.importSnapshot', moved, {
      upload: half(),
      signal: leaving.signal,
    });
    await expect(left[Symbol.asyncIterator]().next()).rejects.toThrow('enough');
    expect(await images()).toBe(before);

    expect(await take(file, moved)).toMatchObject(moved);
    const { id } = await reachesStatus(core, 'moved', 'RUNNING');
    expect(await inside(id, 'cat /root/note', 'n2')).toBe('kept');
    const [own] = await core.api.vps.snapshots({ vps: 'moved' });
    expect(own).toMatchObject({ tag, note: 'before the mess' });
    await core.api.vps.remove({ vps: 'moved', snapshot: false });
  });

  test('comes back with its node after a power cut, also when it was being stopped', async () => {
    const { core, bed } = it;
    const { id } = await core.api.vps.get({ vps: 'anna' });
    await bed.powerCut('n1');
    await reachesStatus(core, 'anna', 'LOST');
    await bed.boot('n1');
    await reachesStatus(core, 'anna', 'RUNNING');
    expect(await inside(id, 'cat /root/note')).toBe('kept');

    await core.api.vps.stop({ vps: 'anna', graceSeconds: 60 });
    await bed.powerCut('n1');
    await bed.boot('n1');
    await reachesStatus(core, 'anna', 'STOPPED');
    await core.api.vps.start({ vps: 'anna' });
    await reachesStatus(core, 'anna', 'RUNNING');
    expect(await inside(id, 'cat /root/note')).toBe('kept');
    await core.api.vps.remove({ vps: 'anna', snapshot: false });
  });
});
