// Asking a registry, through the Engine of a node, whether it lets somebody in.
import type Dockerode from 'dockerode';
import { registryAddress } from '../../domain/registries/registry.ts';
import type { FindAccount, RegistryAccount } from '../image-engine.ts';
import {
  fromDocker,
  readComplaint,
  RegistryDeniedError,
  RegistryUnreachableError,
} from './errors.ts';

/** Longest answer that is waited for: an Engine tries for minutes what does not answer. */
const answerMs = 30_000;

/** As the Engine wants it in the header of a pull. */
export function authOf(host: string, { username, password }: RegistryAccount) {
  return { username, password, serveraddress: registryAddress(host) };
}

/** The header of a build, with what is kept for these registries. */
export function registriesHeader(
  registries: readonly string[],
  account: FindAccount,
): Dockerode.RegistryConfig {
  const known = registries.flatMap((registry) => {
    const found = account(registry);
    return found === undefined ? [] : [[registryAddress(registry), found]];
  });
  const text = JSON.stringify(Object.fromEntries(known));
  // dockerode would write the other alphabet, which the Engine passes over without a word.
  const base64 = Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  // Its types do not know of this way to give it.
  return { base64 } as unknown as Dockerode.RegistryConfig;
}

/** Throws RegistryDeniedError, RegistryUnreachableError, or DockerError where the Engine itself is silent. */
export async function checkRegistry(
  docker: Dockerode,
  host: string,
  account: RegistryAccount,
): Promise<void> {
  const late = AbortSignal.timeout(answerMs);
  try {
    await docker.checkAuth({ ...authOf(host, account), abortSignal: late });
  } catch (error) {
    if (late.aborted) throw new RegistryUnreachableError(host, 'it does not answer', error);
    const { status, text } = readComplaint(error);
    if (status === null) throw fromDocker(error, { kind: 'ask' });
    if (status === 401 || /unauthorized|denied|incorrect username or password|401/i.test(text)) {
      throw new RegistryDeniedError(host, error);
    }
    throw new RegistryUnreachableError(host, text, error);
  }
}
