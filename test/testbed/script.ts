/** Runs `testbed.sh`, and asks it whether a testbed can run on this machine. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const SCRIPT = fileURLToPath(new URL('testbed.sh', import.meta.url));

/** What a command answered. A command killed by a signal has code 128 + its number, as in a shell. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Kills the command (SIGKILL) after that long. */
  readonly timeoutMs?: number;
}

/** Runs a program and collects what it prints. Rejects only if it cannot be started or takes too long. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { env: { ...process.env, ...options.env } });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  // A command that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    const timeout = options.timeoutMs ?? 300_000;
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`no answer within ${String(timeout)} ms: ${argv.join(' ')}`));
    }, timeout);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({
        code: code ?? 137,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

/** Whether a testbed can run here. */
export type Requirements =
  | { readonly isMet: true }
  | { readonly isMet: false; readonly reason: string; readonly missingPackages: readonly string[] };

/** Looks for what a testbed needs (root, Linux, Debian packages, namespaces); changes nothing. */
export async function requirements(
  options: { readonly docker?: boolean } = {},
): Promise<Requirements> {
  if (process.platform !== 'linux')
    return { isMet: false, reason: 'the testbed needs Linux', missingPackages: [] };
  const flags = options.docker === false ? ['--no-docker'] : [];
  const { code, stdout, stderr } = await run(['bash', SCRIPT, 'check', ...flags]);
  if (code === 0) return { isMet: true };
  const lines = stdout.trim().split('\n');
  const told = (kind: string): string[] =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  const missingPackages = told('package');
  const reasons = told('reason');
  if (missingPackages.length > 0)
    reasons.push(`missing Debian packages: ${missingPackages.join(' ')}`);
  if (reasons.length === 0) reasons.push(stderr.trim());
  return { isMet: false, reason: `the testbed ${reasons.join('; ')}`, missingPackages };
}
