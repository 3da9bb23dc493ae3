// A VPS on a real node: its life, and everything that may come between.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requirements } from '../../support/testbed.ts';
import { createVps, reachesStatus, vpsBed, vpsIs, type VpsBed } from './support.ts';

const can = await requirements();

describe.skipIf(!can.isMet)('the life of a VPS', () => {
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
    expect(vps).toMatchObject({ name: 'anna', status: 'PENDING', hasDisk: false });
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
    expect(await reachesStatus(core, 'anna', 'STOPPED')).toMatchObject({
      reason: 'stopped by tester',
      node: 'n1',
      hasDisk: true,
    });
    await core.api.vps.update({ vps: 'anna', cores: 2, memoryBytes: 2 ** 27 });
    await core.api.vps.start({ vps: 'anna', now: true });
    expect(await reachesStatus(core, 'anna', 'RUNNING')).toMatchObject({ attempt: 2, cores: 2 });
    expect(await inside(vps.id, 'cat /root/note')).toBe('kept');
    expect(
      await bed.sh('n1', `docker inspect -f '{{.HostConfig.Memory}}' kohakuriver-vps-${vps.id}`),
    ).toBe(String(2 ** 27));
  });
});
