import {
  deliveryId,
  versionId,
  type Delivery,
  type EnvironmentChange,
  type EnvironmentPlace,
  type EnvironmentView,
  type EnvironmentVersion,
} from '../../../src-main/contract/environments.ts';
import { RequestError } from '../../../src-main/contract/errors.ts';
import type { NodeId } from '../../../src-main/contract/ids.ts';
import type { NodeView } from '../../../src-main/contract/node.ts';
import type { Api } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';

const gib = 2 ** 30;
const hour = 3_600_000;

function sampleVersion(
  environment: string,
  index: number,
  given: Partial<EnvironmentVersion> & Pick<EnvironmentVersion, 'madeAt'>,
): EnvironmentVersion {
  const tag = given.tag ?? 'base';
  return {
    id: versionId.parse(String(734054123400000n + BigInt(index))),
    tag,
    image: `kohakuriver/${environment}:${tag}-${Math.floor(given.madeAt / 1000)}`,
    imageId: `sha256:${String(index).padStart(2, '0').repeat(32)}`,
    note: '',
    sizeBytes: 6.2 * gib,
    layers: 9,
    madeOn: 'alpha',
    isCurrent: true,
    ...given,
  };
}

/** Environments worth looking at: one that is worked on, one that is moving, one whose Dockerfile failed. */
function richEnvironments(now: number, nodes: readonly NodeView[]): EnvironmentView[] {
  const [first, second, third] = nodes;
  if (first === undefined) return [];
  const torch = [
    sampleVersion('torch-lab', 3, { madeAt: now - 2 * hour, note: 'flash-attn 2.7 added' }),
    sampleVersion('torch-lab', 2, { madeAt: now - 50 * hour, isCurrent: false, note: 'first' }),
  ];
  const move = (index: number, node: NodeView, given: Partial<Delivery>): Delivery => ({
    id: deliveryId.parse(String(735054123400000n + BigInt(index))),
    environment: 'torch-lab',
    versionId: torch[0]?.id ?? versionId.parse('1'),
    image: torch[0]?.image ?? '',
    nodeId: node.id,
    node: node.name,
    state: 'done',
    words: 'is there',
    movedBytes: 0.4 * gib,
    totalBytes: 0.4 * gib,
    layersMoved: 1,
    layersThere: 8,
    createdAt: now - hour,
    ...given,
  });
  const build = { nodeId: first.id, node: first.name, phase: null, problem: null, output: [] };
  return [
    {
      name: 'torch-lab',
      note: 'PyTorch 2.5 with the lab’s tools',
      createdAt: now - 60 * hour,
      build: {
        ...build,
        container: 'kohakuriver-env-torch-lab',
        state: 'running',
        origin: { kind: 'image', reference: 'pytorch/pytorch:2.5.1' },
      },
      versions: torch,
      deliveries: [
        ...(second === undefined
          ? []
          : [
              move(1, second, {
                state: 'moving',
                words: `sending it to ${second.name}`,
                movedBytes: 0.25 * gib,
              }),
            ]),
        ...(third === undefined ? [] : [move(2, third, {})]),
      ],
    },
    {
      name: 'whisper',
      note: '',
      createdAt: now - 9 * hour,
      build: {
        ...build,
        container: null,
        state: 'failed',
        origin: { kind: 'dockerfile', text: 'FROM debian:12\nRUN apt-get install -y ffmpg\n' },
        problem: 'The Dockerfile could not be carried out: apt-get install -y ffmpg returned 100.',
        output: ['Step 2/2 : RUN apt-get install -y ffmpg', 'E: Unable to locate package ffmpg'],
      },
      versions: [],
      deliveries: [],
    },
  ];
}

/** Environments of the fake core: they keep the shapes, and nothing is made or moved. */
export function fakeEnvironmentsApi(core: FakeCore): Api['environments'] {
  let all = richEnvironments(core.now(), core.nodes);
  let last = 20;
  const changed = new FakeSignal<EnvironmentChange>();
  const find = (name: string): EnvironmentView => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) {
      throw new RequestError('not-found/environment', `There is no environment ${name}.`);
    }
    return found;
  };
  const put = (view: EnvironmentView): EnvironmentView => {
    all = [...all.filter(({ name }) => name !== view.name), view];
    changed.emit({ upsert: view });
    return view;
  };
  const build = (name: string, state: 'running' | 'stopped'): EnvironmentView => {
    const view = find(name);
    return put({ ...view, build: view.build === null ? null : { ...view.build, state } });
  };
  return {
    list: async () => all,
    watch: async (_input, options) =>
      fakeFeed({
        snapshot: () => all,
        subscribe: (push: (change: EnvironmentChange) => void) => changed.listen(push),
        signal: options?.signal,
      }),
    get: async ({ environment }) => find(environment),
    create: async ({ name, origin, node, note = '' }) => {
      const place = core.node(node ?? '') ?? core.nodes[0];
      return put({
        name,
        note,
        createdAt: core.now(),
        versions: [],
        deliveries: [],
        build: {
          nodeId: place?.id ?? ('1' as NodeId),
          node: place?.name ?? 'desk',
          container: origin.kind === 'image' ? `kohakuriver-env-${name}` : null,
          state: origin.kind === 'image' ? 'running' : 'built',
          origin,
          phase: null,
          problem: null,
          output: [],
        },
      });
    },
    start: async ({ environment }) => build(environment, 'running'),
    stop: async ({ environment }) => build(environment, 'stopped'),
    discard: async ({ environment }) => put({ ...find(environment), build: null }),
    save: async ({ environment, tag = 'base', note = '' }) => {
      const view = find(environment);
      const made = sampleVersion(environment, (last += 1), { madeAt: core.now(), tag, note });
      const older = view.versions.map((one) =>
        one.tag === tag ? { ...one, isCurrent: false } : one,
      );
      put({ ...view, versions: [made, ...older] });
      return made;
    },
    places: async ({ environment }) => {
      const [current] = find(environment).versions;
      if (current === undefined) return [];
      return core.nodes.slice(0, 2).map((node): EnvironmentPlace => ({
        versionId: current.id,
        nodeId: node.id,
        node: node.name,
        usedBy: node.id === core.nodes[0]?.id ? ['kohakuriver-vps-733054123400101'] : [],
      }));
    },
    distribute: async () => [],
    cancelDelivery: async ({ delivery }) => {
      const found = all.flatMap(({ deliveries }) => deliveries).find(({ id }) => id === delivery);
      if (found === undefined) throw new RequestError('not-found/environment', 'No such delivery.');
      const cancelled: Delivery = { ...found, state: 'cancelled', words: 'cancelled' };
      const view = find(found.environment);
      const deliveries = view.deliveries.map((one) => (one.id === delivery ? cancelled : one));
      put({ ...view, deliveries });
      return cancelled;
    },
    remove: async ({ environment }) => {
      find(environment);
      all = all.filter(({ name }) => name !== environment);
      changed.emit({ removed: environment });
      return { name: environment, left: [] };
    },
    previewPrune: async () =>
      all.flatMap(({ name, versions }) =>
        versions
          .filter(({ isCurrent }) => !isCurrent)
          .map(({ image }) => ({
            environment: name,
            image,
            nodeId: core.nodes[0]?.id ?? ('1' as NodeId),
            node: core.nodes[0]?.name ?? 'desk',
            bytes: 0.7 * gib,
            stays: null,
          })),
      ),
    prune: async () => [],
  };
}
