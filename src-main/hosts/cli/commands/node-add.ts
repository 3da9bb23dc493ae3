import { resolve } from 'node:path';
import type { HostOptions, NodeView, SshDestination } from '../../../contract/node.ts';
import type { Call } from '../call.ts';
import { UsageError } from '../errors.ts';
import { HostKeyConsentGiver, type ConsentOptions } from '../host-keys.ts';
import { recordOf } from '../parse/pairs.ts';
import { SignIn } from '../sign-in.ts';
import { answerNode } from './node-show.ts';

export interface AddOptions extends ConsentOptions {
  name?: string;
  identity?: string;
  passwordStdin?: boolean;
  jump?: readonly SshDestination[];
  label?: readonly (readonly [string, string])[];
}

/** `node add`: looks at the host keys, signs in, probes, stores. */
export async function addNode(call: Call<AddOptions>, destination: SshDestination): Promise<void> {
  const { identity, jump = [], name, passwordStdin } = call.options;
  const { isLocal } = await call.connect();
  const password = passwordStdin === true ? await passwordFromInput(call) : undefined;
  const host: HostOptions = {
    destination,
    jumps: [...jump],
    useSshConfig: true,
    ...(identity === undefined
      ? {}
      : { identityFile: isLocal ? absolutePath(identity, call.io) : identity }),
    ...(password === undefined ? {} : { password }),
  };
  await answerNode(call, await join(call, { host, name }));
}

/**
 * Adds one host as a node: asks about host keys and passwords at a terminal as long as that helps.
 * Throws what the core says where it does not.
 */
export async function join(
  call: Call<ConsentOptions & Pick<AddOptions, 'label'>>,
  { host, name }: { host: HostOptions; name?: string | undefined },
): Promise<NodeView> {
  const api = await call.api();
  const consent = new HostKeyConsentGiver(call);
  const signIn = new SignIn(call.io.prompts, host);
  for (const report of (await api.nodes.inspectHost(host)).hostKeys) await consent.judge(report);
  for (;;) {
    try {
      return await api.nodes.add({
        ...signIn.host,
        ...(name === undefined ? {} : { name }),
        labels: recordOf(call.options.label),
        consent: consent.given,
      });
    } catch (error) {
      // Behind a jump host a key is seen only after signing in on the way.
      const report = HostKeyConsentGiver.reportIn(error);
      if (report !== undefined && !consent.has(report)) await consent.judge(report);
      else if (!(await signIn.retryAfter(error))) throw error;
    }
  }
}

async function passwordFromInput(call: Call): Promise<string> {
  const password = (await call.io.readInput()).replace(/\r?\n$/, '');
  if (password === '') throw new UsageError('There was no password on standard input.');
  return password;
}

/** The core was started in another directory. */
function absolutePath(file: string, { cwd, homeDir }: Call['io']): string {
  return file.startsWith('~/') ? resolve(homeDir, file.slice(2)) : resolve(cwd, file);
}
