import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { LocalLink } from '../../../src-main/link/local/local-link.ts';
import { systemTimers } from '../../../src-main/link/system-timers.ts';
import { ContainerFiles } from '../../../src-main/runtimes/docker/container-files.ts';
import { hasSshd, PrivateSshd } from '../link/private-sshd.ts';
import { describeRemoteFiles } from './remote-files-suite.ts';
import { describeWorkspace } from './workspace-suite.ts';

const emptyDir = () => mkdtemp(join(tmpdir(), 'kohakuriver-files-'));

describeRemoteFiles('this computer', async () => ({
  files: await new LocalLink().files(),
  dir: await emptyDir(),
}));

describe.skipIf(!hasSshd)('over SSH', () => {
  let sshd: PrivateSshd;
  beforeAll(async () => {
    sshd = await PrivateSshd.start();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());
  describeRemoteFiles('SFTP', async () => {
    const link = await sshd.connect();
    return { files: await link.files(), dir: await emptyDir() };
  });
  describeWorkspace('over SSH', async () => {
    const link = await sshd.connect();
    const spawn = (command: readonly string[]) => link.spawn(command);
    return { files: await link.files(), spawn, dir: await emptyDir() };
  });
});

describeWorkspace('this computer', async () => {
  const link = new LocalLink();
  const spawn = (command: readonly string[]) => link.spawn(command);
  return { files: await link.files(), spawn, dir: await emptyDir() };
});

// The script that is run in containers, without one: under this computer's sh.
describeRemoteFiles('through a shell', async () => {
  const link = new LocalLink();
  const files = new ContainerFiles((command) => link.spawn(command), systemTimers);
  return { files, dir: await emptyDir() };
});
