// What the tests of processes share: a node, this computer, and this computer with nothing but BusyBox.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoreId } from '../../../../src-main/contract/ids.ts';
import { LocalLink } from '../../../../src-main/link/local/local-link.ts';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import {
  systemClock as clock,
  systemTimers as timers,
} from '../../../../src-main/link/system-timers.ts';
import { createProcessRuntime } from '../../../../src-main/runtimes/process/process-runtime.ts';
import type { AttemptSpec } from '../../../../src-main/runtimes/runtime.ts';
import { Testbed } from '../../../support/testbed.ts';
import { attemptOf, core, launch, sshTo } from '../support.ts';

export interface ProcessStage extends AsyncDisposable {
  readonly bed: Testbed;
  /** To the node, as root. */
  readonly ssh: NodeLink;
  readonly local: NodeLink;
  /** What `local` takes for the home of its user. */
  readonly home: string;
  readonly busybox: NodeLink;
}

export async function beginStage(): Promise<ProcessStage> {
  await using stack = new AsyncDisposableStack();
  const folder = (name: string) => {
    const path = mkdtempSync(join(tmpdir(), name));
    stack.defer(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const home = folder('runtimes-home-');
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8' };
  const local = new LocalLink({ env, homeDir: home });
  stack.defer(() => local.close());
  const busyboxHome = folder('runtimes-busybox-');
  const bin = join(busyboxHome, 'bin');
  mkdirSync(bin);
  execFileSync('busybox', ['--install', '-s', bin]);
  const busybox = new LocalLink({ env: { PATH: bin, HOME: busyboxHome }, homeDir: busyboxHome });
  stack.defer(() => busybox.close());
  const bed = stack.use(
    await Testbed.up({
      nodes: 1,
      docker: false,
      registry: false,
      disks: { n1: { '/home': '64M' } },
    }),
  );
  const ssh = await sshTo(bed, 'n1', 'root');
  stack.defer(() => ssh.close());
  const kept = stack.move();
  return { bed, ssh, local, home, busybox, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Of an attempt, so that it is a process. */
export const changes = { vessel: { kind: 'process' } } as const;

/** A runtime of processes as one connection of a core has it; by a runner only where told. */
export function runtimeOver(link: NodeLink, coreId: CoreId = core, runner?: 'always' | 'never') {
  return createProcessRuntime({
    ...(runner === undefined ? {} : { runner }),
    link,
    coreId,
    machineId: 'test-machine',
    limits: false,
    clock,
    timers,
  });
}

/** In the home of its user. */
export const directoryOf = ({ taskId }: AttemptSpec) =>
  `.kohakuriver/test-machine/tasks/${taskId}/1`;

/** The shell does it where a runner finds that a directory is slow to answer: that is stopped, and it is asked again. */
export async function launchByRunner(
  bed: Testbed,
  runtime: ReturnType<typeof runtimeOver>,
  text: string,
  homeOfUser: string,
): Promise<AttemptSpec> {
  for (let tries = 1; ; tries += 1) {
    const spec = attemptOf(text, changes);
    await launch(runtime, spec);
    const files = await bed.sh('n1', `ls ${homeOfUser}/${directoryOf(spec)}`);
    if (!files.includes('run.sh')) return spec;
    if (tries === 5) throw new Error('no runner starts it');
    await runtime.stop(spec, { signal: 'SIGKILL', graceMs: 0 });
    await runtime.remove(spec, { keep: false });
  }
}
