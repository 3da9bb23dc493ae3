// The peer of the overhead bench: OpenSSH with a master connection that is open already, so that a
// command costs one session and no sign-in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Testbed, TestbedNode } from '../../support/testbed.ts';

export class WarmSsh implements AsyncDisposable {
  readonly #argv: readonly string[];
  readonly #dir: string;

  private constructor(argv: readonly string[], dir: string) {
    this.#argv = argv;
    this.#dir = dir;
  }

  /** Opens the master connection as `ops`. */
  static async open(bed: Testbed, node: TestbedNode): Promise<WarmSsh> {
    const dir = await mkdtemp(join(tmpdir(), 'kr-ssh-'));
    const [program = 'ssh', ...rest] = bed.sshArgv(node, 'ops');
    const argv = [program, '-o', `ControlPath=${dir}/master`, ...rest];
    const ssh = new WarmSsh(argv, dir);
    await ssh.#run([...argv.slice(0, -1), '-M', '-N', '-f', argv.at(-1) ?? '']);
    return ssh;
  }

  /** Runs a shell command on the node and gives what it printed. Throws unless it ends with 0. */
  run(command: string): Promise<string> {
    return this.#run([...this.#argv, command]);
  }

  async #run([program = '', ...args]: readonly string[]): Promise<string> {
    const isMaster = args.includes('-M');
    const child = spawn(program, args, {
      stdio: ['ignore', isMaster ? 'ignore' : 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([
      child.stdout === null ? '' : text(child.stdout),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}`);
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run([...this.#argv.slice(0, -1), '-O', 'exit', this.#argv.at(-1) ?? '']);
    await rm(this.#dir, { recursive: true, force: true });
  }
}
