// Programs in containers whose connection breaks.
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { execInContainer } from '../../../../src-main/runtimes/docker/exec.ts';
import { silentLog } from '../../../../src-main/runtimes/log.ts';
import { FakeTime } from '../../../support/fake-time.ts';

type Parts = Parameters<typeof execInContainer>[0];

// An error that nobody hears ends the process, and with it the core.
test('a link that drops is told by the end alone, also where nobody listens to the output', async () => {
  const stream = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() });
  stream.on('error', () => undefined);
  const exec = {
    start: () => Promise.resolve(stream),
    inspect: () => Promise.resolve({ Running: false, ExitCode: 0 }),
  };
  const docker = { getContainer: () => ({ exec: () => Promise.resolve(exec) }) };
  const time = new FakeTime();
  const parts = { docker, timers: time, log: silentLog } as unknown as Parts;
  const process = await execInContainer(parts, 'c', { command: ['tar'], mark: 'x', stdin: true });
  process.stdout.resume();
  stream.destroy(new Error('The link was lost.'));
  await expect(process.ended).rejects.toThrow();
  await new Promise(setImmediate);
});
