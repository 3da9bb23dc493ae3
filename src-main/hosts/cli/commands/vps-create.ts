// `vps create`: what was asked for, and the key of one made here put where it belongs.
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SshRequest, VpsPort, VpsSubmissionInput } from '../../../contract/vps.ts';
import type { Call } from '../call.ts';
import { CliError, UsageError } from '../errors.ts';
import { vpsJson } from '../shape/vps-json.ts';
import { readSubmission, type SubmissionOptions } from '../submission.ts';
import { clean } from '../text/clean.ts';

export interface VpsCreateOptions extends SubmissionOptions {
  port?: readonly VpsPort[];
  ssh?: boolean;
  /** Commander reads `--no-ssh-key` as this being false. */
  sshKey?: boolean;
  genSshKey?: boolean;
  publicKeyFile?: string;
  publicKeyString?: string;
  keyOutFile?: string;
  snapshotOnStop?: boolean;
  snapshotOnRemove?: boolean;
  keepSnapshots?: number;
}

export async function createVps(call: Call<VpsCreateOptions>): Promise<void> {
  const { options } = call;
  const connection = await call.connect();
  const ssh = await sshOf(call, connection.isLocal);
  const asked = await readSubmission(call, []);
  const [target, ...more] = options.target ?? [];
  if (more.length > 0) throw new UsageError('A VPS has one target: give -t once.');
  const submission: VpsSubmissionInput = {
    ...pick(asked),
    ...(target === undefined ? {} : { target }),
    ssh,
    ports: [...(options.port ?? [])],
    snapshots: {
      beforeStop: options.snapshotOnStop === true,
      beforeRemove: options.snapshotOnRemove === true,
      ...(options.keepSnapshots === undefined ? {} : { keep: options.keepSnapshots }),
    },
  };
  const made = await connection.api.vps.create(submission);
  let { keyFile } = made;
  if (made.privateKey !== null && keyFile === null) {
    keyFile = keyPath(call, made.vps.id);
    await writeKey(keyFile, made.privateKey);
  }
  for (const warning of made.warnings) await call.say(`warning: ${clean(warning)}`);
  if (keyFile !== null)
    await call.say(`The private key is in ${clean(keyFile)}; nobody else has it.`);
  await call.answer(
    () => ({ ...vpsJson(made.vps), keyFile }),
    () => `${made.vps.name}  ${made.vps.id}\n`,
  );
}

type Asked = Awaited<ReturnType<typeof readSubmission>>;

/** What a VPS shares with a task. */
function pick(asked: Asked): VpsSubmissionInput {
  const { cores, memoryBytes, gpus, vessel, env, secretEnv, mounts, privileged } = asked;
  const { name, labels, priority, onNodeLabels, avoidNodes, owner } = asked;
  const all = { cores, memoryBytes, gpus, vessel, env, secretEnv, mounts, privileged };
  const rest = { name, labels, priority, onNodeLabels, avoidNodes, owner };
  const given = Object.entries({ ...all, ...rest }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** `--ssh` alone makes a key, as people who want SSH want one. */
async function sshOf(call: Call<VpsCreateOptions>, isLocal: boolean): Promise<SshRequest> {
  const { options } = call;
  const { publicKeyFile, publicKeyString, genSshKey, ssh, sshKey } = options;
  const ways = [publicKeyFile, publicKeyString, genSshKey, sshKey === false ? true : undefined];
  if (ways.filter((way) => way !== undefined).length > 1) {
    throw new UsageError(
      'Choose one of --no-ssh-key, --gen-ssh-key, --public-key-file and --public-key-string.',
    );
  }
  if (publicKeyString !== undefined) return { mode: 'upload', publicKey: publicKeyString };
  if (publicKeyFile !== undefined) {
    return { mode: 'upload', publicKey: await readKey(call, publicKeyFile) };
  }
  if (sshKey === false) return { mode: 'none' };
  if (genSshKey !== true && ssh !== true) {
    if (options.keyOutFile === undefined) return { mode: 'disabled' };
    throw new UsageError('--key-out-file is for a key made here: add --gen-ssh-key.');
  }
  // A core elsewhere must not keep the key: it is written here.
  if (!isLocal) return { mode: 'generate', keyFile: false };
  const { keyOutFile } = options;
  return {
    mode: 'generate',
    keyFile: keyOutFile === undefined ? null : resolve(call.io.cwd, keyOutFile),
  };
}

async function readKey(call: Call<VpsCreateOptions>, file: string): Promise<string> {
  try {
    return await readFile(resolve(call.io.cwd, file), 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(`${file} cannot be read (${code ?? 'unknown'}).`, { cause });
  }
}

function keyPath({ io, options }: Call<VpsCreateOptions>, id: string): string {
  return options.keyOutFile === undefined
    ? join(io.homeDir, '.ssh', `id-kohakuriver-${id}`)
    : resolve(io.cwd, options.keyOutFile);
}

/** Never over another file, and readable by its owner alone from the first byte. */
async function writeKey(file: string, privateKey: string): Promise<void> {
  try {
    await using handle = await open(
      file,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
      0o600,
    );
    await handle.writeFile(privateKey);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError(
      'conflict/state',
      `The VPS was created, but its key could not be written to ${file} (${code ?? 'unknown'}). Remove the VPS and create it again with another --key-out-file.`,
      { cause },
    );
  }
}
