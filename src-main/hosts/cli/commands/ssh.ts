// `ssh`, `proxy` and `ssh-config`: OpenSSH and everything built on it.
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import type { SshHost } from '../../../contract/ssh.ts';
import type { VpsView } from '../../../contract/vps.ts';
import { aliasOf, hostBlock, includeLine, sshSettings } from '../../../domain/forwards/open-ssh.ts';
import type { OpenSshFiles } from '../../../store/open-ssh-files.ts';
import type { Call, Runner } from '../call.ts';
import { UsageError } from '../errors.ts';
import { exitCodes, signalNumber } from '../exit-codes.ts';
import { reading, wholeNumber } from '../parse/option.ts';
import { learnHost, proxyCommand, sshFiles } from '../ssh-files.ts';
import { proxy } from './proxy.ts';

export function addSshCommands(program: Command, runner: Runner): void {
  runner.action(
    program
      .command('ssh')
      .description('OpenSSH into a VPS; its host keys are checked')
      .usage('[options] <id> [-- ssh arguments...]')
      .argument('<id>')
      .argument('[arguments...]', 'for ssh, as -L 8888:localhost:8888, or a command'),
    ssh,
    { isPatient: true },
  );
  runner.action(
    program
      .command('proxy')
      .description('standard input and output to the SSH port of a VPS (a ProxyCommand)')
      .argument('<id>')
      .option('--port <port>', 'another port than SSH', reading(wholeNumber(1, 65_535)), 22),
    proxy,
  );
  runner.action(
    program
      .command('ssh-config')
      .description(
        'a block of ~/.ssh/config for each VPS: ssh, scp, rsync, git and VS Code by name',
      )
      .argument('[id...]', 'only these')
      .option('--write', 'keep it in a file that ~/.ssh/config includes'),
    sshConfig,
  );
}

async function ssh(call: Call, reference: string, more: readonly string[]): Promise<number> {
  const host = await learnHost(call, reference);
  const { knownHosts } = sshFiles(call);
  const settings = sshSettings(host, { command: proxyCommand(call), knownHosts });
  const options = settings.flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  // What begins with a dash is for ssh itself and stands before the host.
  const firstWord = more.findIndex((word) => !word.startsWith('-'));
  const isOptions = more[0]?.startsWith('-') === true;
  const [before, after] = isOptions ? [more, []] : [[], firstWord < 0 ? [] : more];
  const child = spawn('ssh', [...options, ...before, aliasOf(host), ...after], {
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new UsageError('OpenSSH (ssh) is not on this computer.', { cause: error })),
    );
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + ((signal === null ? undefined : signalNumber(signal)) ?? 0)),
    );
  });
}

async function sshConfig(
  call: Call<{ write?: boolean }>,
  references: readonly string[],
): Promise<number> {
  const files = sshFiles(call);
  const { hosts, skipped } = await findHosts(call, references);
  await files.rememberHostKeys(hosts);
  const options = { command: proxyCommand(call), knownHosts: files.knownHosts };
  for (const reason of skipped) await call.say(reason);
  if (call.options.write !== true) {
    await call.answer(
      () => hosts.map((host) => ({ alias: aliasOf(host), ...host })),
      () => hosts.map((host) => hostBlock(host, options)).join('\n'),
    );
    return exitCodes.done;
  }
  await files.writeHosts(hosts, options.command);
  const included = await includeIn(call, files);
  await call.answer(
    () => ({ file: files.config, included, hosts: hosts.map(aliasOf) }),
    () => hosts.map((host) => `ssh ${aliasOf(host)}\n`).join(''),
  );
  return included ? exitCodes.done : exitCodes.failed;
}

async function findHosts(call: Call, references: readonly string[]) {
  const { api } = await call.connect();
  const ids = references.length > 0 ? references : (await runningVpses(call)).map(({ id }) => id);
  const hosts: SshHost[] = [];
  const skipped: string[] = [];
  for (const task of ids) {
    try {
      hosts.push(await api.ssh.describe({ task }));
    } catch (error) {
      if (references.length > 0 || !(error instanceof Error)) throw error;
      skipped.push(error.message);
    }
  }
  return { hosts, skipped };
}

async function runningVpses(call: Call): Promise<VpsView[]> {
  const all = await (await call.api()).vps.list();
  return all.filter(({ status }) => status === 'RUNNING');
}

/** Has the user's configuration include ours, if they agree. */
async function includeIn(call: Call, files: OpenSshFiles): Promise<boolean> {
  if (await files.isIncluded()) return true;
  const [file, line] = [files.userConfig, includeLine(files.config)];
  const { prompts } = call.io;
  const question = `Add «${line}» to ${file}? A copy of it is kept as ${file}.before-kohakuriver.`;
  if (prompts === undefined || !(await prompts.confirm(question))) {
    await call.say(`Not changed: ${file}. Add this line at its top: ${line}`);
    return false;
  }
  await files.include();
  return true;
}
