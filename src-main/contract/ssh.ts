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
  /** Read from inside, over the Engine, and so known to be its own: `ssh-ed25519 AAAA…`. */
  hostKeys: z.array(z.string()),
});
export type SshHost = z.infer<typeof sshHost>;

export const ssh = {
  describe: oc.input(z.object({ task: z.string().min(1).max(128) })).output(sshHost),
};
