// Registries of images that want to know who asks. Passwords go in and never come out.
import { oc } from '@orpc/contract';
import { z } from 'zod';

/** A registry as people write it: `registry.example:5000`, `docker.io`. */
const host = z
  .string()
  .min(1)
  .max(255)
  .regex(
    /^(https?:\/\/)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?(\/\S*)?$/,
    'must be the host of a registry, such as registry.example:5000',
  );

export const registryView = z.object({
  host: z.string(),
  /** Null while the vault is locked. */
  username: z.string().nullable(),
});
export type RegistryView = z.infer<typeof registryView>;

export const registries = {
  list: oc.output(z.array(registryView)),
  /**
   * Keeps who we are for a registry, in the place of what was kept. Unless `verify` is false the
   * Engine of a node asks the registry first: of the one that is named, else of this computer or of
   * the first that has Docker.
   */
  login: oc
    .input(
      z.object({
        host,
        username: z.string().min(1).max(256),
        password: z.string().min(1).max(16_384),
        verify: z.boolean().default(true),
        node: z.string().min(1).max(64).optional(),
      }),
    )
    .output(registryView.extend({ verifiedOn: z.string().nullable() })),
  logout: oc.input(z.object({ host })).output(z.object({ host: z.string() })),
};
