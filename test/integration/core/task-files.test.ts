// Files that go with tasks, on a real node: put there before the start, brought back after the end, by
// a core that is killed in the middle of each.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startCoreProcess,
  temporaryDataDir,
  type CoreProcess,
} from '../../support/core-process.ts';
import { until } from '../../support/core-client.ts';
import { requirements, Testbed } from '../../support/testbed.ts';

const can = await requirements();
const script = (text: string) => ({ kind: 'script' as const, text });
const container = { kind: 'image', reference: 'river/busybox:1' } as const;
const patienceMs = 120_000;

describe.skipIf(!can.isMet)('files of tasks', () => {
  let bed: Testbed;
  let core: CoreProcess;
  let dataDir: Awaited<ReturnType<typeof temporaryDataDir>>;
  const at = (path: string) => join(dataDir.path, path);

  beforeAll(async () => {
    bed = await Testbed.up({ nodes: 1, images: ['river/busybox'] });
    dataDir = await temporaryDataDir();
    core = await startCoreProcess(dataDir.path);
    await core.api.nodes.add({
      destination: { host: bed.node('n1').address, user: 'ops' },
      identityFile: bed.keyPath,
      useSshConfig: false,
      consent: 'any-new',
    });
    await bed.sh('n1', 'mkdir -m 777 /srv/jobs');
    mkdirSync(at('code/lib'), { recursive: true });
    writeFileSync(at('code/lib/text'), 'river\n');
    writeFileSync(at('code/.gitignore'), '*.tmp\n');
    writeFileSync(at('code/not.tmp'), 'stays here');
    // Nothing that a link could make smaller.
    writeFileSync(at('code/weights'), randomBytes(12 * 1024 * 1024));
  }, 120_000);
  afterAll(async () => {
    await core?.stop();
    await dataDir?.[Symbol.asyncDispose]();
    await bed?.[Symbol.asyncDispose]();
  });

  async function crash(): Promise<void> {
    await core.kill();
    core = await startCoreProcess(dataDir.path);
  }
  const transfers = () => core.api.transfers.list();
  /** A test that is tried again finds another folder there, and no transfers of the first try. */
  let tries = 0;

  test('a container sees what was put there; its results come back with a core killed in between', async () => {
    const code = `/srv/jobs/code-${String((tries += 1))}`;
    await core.api.transfers.clear({});
    await bed.slow('n1', '20mbit');
    const id = await core.submit({
      targets: ['n1'],
      vessel: container,
      sync: [{ from: at('code'), to: code }],
      fetch: [{ from: '/srv/jobs/out-{id}', to: at('results/{id}') }],
      work: script(
        `echo start >> /srv/jobs/out-$KOHAKURIVER_TASK_ID/starts
cd ${code} && ls -A && cat lib/text weights | wc -c > /srv/jobs/out-$KOHAKURIVER_TASK_ID/size
cp weights /srv/jobs/out-$KOHAKURIVER_TASK_ID/`,
      ),
    });
    await until(
      async () =>
        /putting .* on n1: [1-9]/.test((await core.api.tasks.get({ task: id })).phase ?? ''),
      'it is being put there',
      patienceMs,
    );
    await crash();
    const [known] = await transfers();
    await core.reaches(id, ['RUNNING', 'COMPLETED'], patienceMs);
    expect((await transfers()).filter(({ purpose }) => purpose?.kind === 'sync')).toMatchObject([
      { id: known!.id, status: 'DONE', proof: 'hashes' },
    ]);
    const fetching = async () =>
      (await transfers()).find(
        ({ purpose, progress }) => purpose?.kind === 'fetch' && progress.bytesMoved > 0,
      );
    await until(fetching, 'results are on their way', patienceMs);
    await crash();
    await bed.fast('n1');
    const ended = await core.reaches(id, undefined, patienceMs);
    expect(ended).toMatchObject({ status: 'COMPLETED', attempt: 1, exitCode: 0 });
    expect((await core.log(id)).toString().trim().split('\n').sort()).toEqual(
      ['.gitignore', 'lib', 'weights'].sort(),
    );
    const fetched = async () =>
      (await core.api.tasks.events({ task: id })).find(({ kind }) => kind === 'results-fetched');
    const { why } = await until(fetched, 'the history says so', patienceMs);
    expect(why).toMatch(/^3 files in .*compared by hash/);
    const results = at(`results/${id}`);
    expect(readdirSync(results).sort()).toEqual(['size', 'starts', 'weights']);
    expect(readFileSync(join(results, 'starts'), 'utf8')).toBe('start\n');
    expect(readFileSync(join(results, 'size'), 'utf8').trim()).toBe(String(12 * 1024 * 1024 + 6));
    expect(readFileSync(join(results, 'weights')).equals(readFileSync(at('code/weights')))).toBe(
      true,
    );
    expect((await transfers()).filter(({ purpose }) => purpose?.kind === 'fetch')).toHaveLength(1);
  }, 300_000);

  test('what ended while the core was away is fetched when it is back', async () => {
    const id = await core.submit({
      targets: ['n1'],
      vessel: { kind: 'process' },
      fetch: [{ from: '~/away', to: at('away') }],
      work: script(
        'until [ -e /srv/jobs/go ]; do sleep 0.2; done; echo done > ~/away/word; exit 3',
      ),
    });
    await core.reaches(id, ['RUNNING'], patienceMs);
    await core.kill();
    await bed.sh('n1', 'touch /srv/jobs/go; until [ -e ~ops/away/word ]; do sleep 0.2; done');
    core = await startCoreProcess(dataDir.path);
    expect(await core.reaches(id, undefined, patienceMs)).toMatchObject({
      status: 'FAILED',
      exitCode: 3,
    });
    await until(() => existsSync(at('away/word')), 'the word is here', patienceMs);
    expect(readFileSync(at('away/word'), 'utf8')).toBe('done\n');
  }, 200_000);

  test('tasks of a batch share one transfer; what cannot be put there fails them in words', async () => {
    const { taskIds } = await core.api.tasks.submit({
      targets: ['n1'],
      vessel: { kind: 'process' },
      array: { indices: [0, 1, 2] },
      sync: [{ from: at('code'), to: '~/code' }],
      fetch: [{ from: '~/parts/{index}', to: at('parts/{index}') }],
      work: script('cp ~/code/lib/text ~/parts/$KOHAKURIVER_ARRAY_INDEX/; sleep 1'),
    });
    for (const id of taskIds) {
      expect(await core.reaches(id, undefined, patienceMs)).toMatchObject({ status: 'COMPLETED' });
    }
    for (const index of [0, 1, 2]) {
      await until(() => existsSync(at(`parts/${index}/text`)), `part ${index} is here`, patienceMs);
    }
    const { batchId } = await core.api.tasks.get({ task: taskIds[0]! });
    const shared = (await transfers()).filter(
      ({ purpose }) => purpose?.kind === 'sync' && purpose.batch === batchId,
    );
    expect(shared).toMatchObject([{ status: 'DONE' }]);

    const lost = await core.submit({
      targets: ['n1'],
      vessel: { kind: 'process' },
      sync: [{ from: at('no such folder'), to: '~/code' }],
      work: script('echo never'),
    });
    const failed = await core.reaches(lost, undefined, patienceMs);
    expect(failed.status).toBe('FAILED');
    expect(failed.reason).toMatch(/could not be put on n1: There is no folder .*no such folder/);
  }, 200_000);

  test('killed while its files are put there, it never starts and leaves nothing half', async () => {
    await bed.slow('n1', '10mbit');
    const id = await core.submit({
      targets: ['n1'],
      vessel: { kind: 'process' },
      sync: [{ from: at('code'), to: '~/half' }],
      work: script('touch /srv/jobs/it-ran'),
    });
    await until(
      async () =>
        /putting .* on n1: [1-9]/.test((await core.api.tasks.get({ task: id })).phase ?? ''),
      'it is being put there',
      patienceMs,
    );
    await core.api.tasks.kill({ tasks: [id] });
    expect(await core.reaches(id, undefined, patienceMs)).toMatchObject({ status: 'KILLED' });
    await bed.fast('n1');
    const cancelled = async () =>
      (await transfers()).some(
        ({ status, request }) => status === 'CANCELLED' && request.to.path === '~/half',
      );
    await until(cancelled, 'its transfer is given up', patienceMs);
    await until(
      async () => (await bed.sh('n1', 'ls -A ~ops/half; ls /srv/jobs')) !== undefined,
      'the node answers',
    );
    expect(await bed.sh('n1', 'ls -A ~ops/half')).toBe('');
    expect(await bed.sh('n1', 'ls /srv/jobs')).not.toContain('it-ran');
  }, 200_000);
});
