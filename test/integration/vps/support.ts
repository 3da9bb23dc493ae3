// A core with nodes of the testbed, for tests of VPSes.
import { startCore, until, type TestCore } from '../../support/core.ts';
import { Testbed, type TestbedOptions } from '../../support/testbed.ts';
import type { VpsSubmissionInput, VpsView } from '../../../src-main/contract/vps.ts';

export const vpsImage = { kind: 'image', reference: 'river/vps:1' } as const;
export const bareImage = { kind: 'image', reference: 'river/busybox:1' } as const;

export interface VpsBed extends AsyncDisposable {
  readonly bed: Testbed;
  readonly core: TestCore;
}

/** Brings nodes up and adds them; this computer takes no work. */
export async function vpsBed(options: TestbedOptions): Promise<VpsBed> {
  const bed = await Testbed.up(options);
  const core = await startCore();
  const here = await until(
    async () => (await core.api.nodes.list()).find((node) => node.state === 'online'),
    'this computer is online',
  );
  await core.api.nodes.drain({ node: here.id });
  for (const node of bed.nodes) {
    await core.api.nodes.add({
      destination: { host: node.address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      jumps: [],
      consent: 'any-new',
    });
  }
  return {
    bed,
    core,
    [Symbol.asyncDispose]: async () => {
      await core[Symbol.asyncDispose]();
      await bed[Symbol.asyncDispose]();
    },
  };
}

/** Creates a VPS; `name` is how it is spoken of afterwards. */
export async function createVps(
  core: TestCore,
  submission: VpsSubmissionInput & { name: string },
): Promise<{ vps: VpsView; privateKey: string | null; keyFile: string | null }> {
  return core.api.vps.create({ vessel: vpsImage, memoryBytes: 2 ** 26, ...submission });
}

/** Waits until a VPS is as it should be. */
export function vpsIs(
  core: TestCore,
  vps: string,
  isSo: (view: VpsView) => boolean,
  what: string,
): Promise<VpsView> {
  return until(async () => {
    const view = await core.api.vps.get({ vps });
    return isSo(view) ? view : undefined;
  }, `${vps} is ${what}`);
}

export function reachesStatus(
  core: TestCore,
  vps: string,
  status: VpsView['status'],
): Promise<VpsView> {
  return vpsIs(core, vps, (view) => view.status === status, status);
}
