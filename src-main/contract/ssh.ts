// What OpenSSH needs to know to reach a container: who it is, and by which keys it is recognised.
import { oc } from '@orpc/contract';
import { z } from 'zod';

export const sshHost = z.object({
  /** ID of the VPS or task. */
  id: z.string(),
  name: z.string().nullable(),
  /** The name its keys are known by: it stays when everything else changes. */
  hostKeyAlias: z.string(),
  user: z.string(),
  port: z.number().int(),
  /** The private key it was made with, on the core's computer; null: the user's own keys and agent. */
  identityFile: z.string().nullable(),
  /** Read from inside, over the Engine, and so known to be its own: `ssh-ed25519 AAAA…`. */
  hostKeys: z.array(z.string()),
});
export type SshHost = z.infer<typeof sshHost>;

const task = z.string().min(1).max(128);

/** How OpenSSH, and all that is built on it, calls a container on the core's computer. */
export const sshAccess = z.object({
  /** Its name for OpenSSH: `kr-…`. */
  alias: z.string(),
  /** The file its block is in. */
  configFile: z.string(),
  /** The user's own configuration, and whether it includes that file. */
  userConfigFile: z.string(),
  isIncluded: z.boolean(),
  /** The line that includes it. */
  includeLine: z.string(),
});
export type SshAccess = z.infer<typeof sshAccess>;

export const ssh = {
  describe: oc.input(z.object({ task })).output(sshHost),
  /**
   * Writes what OpenSSH on the core's computer needs to reach it by name: its host keys and its
   * block, in files of ours. With `mayInclude` also the line in the user's own configuration that
   * includes them; a copy of it is kept.
   */
  setUp: oc.input(z.object({ task, mayInclude: z.boolean().default(false) })).output(sshAccess),
};
