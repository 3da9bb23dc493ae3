// All images of a node as people see them, and pulling one by hand.
import type Dockerode from 'dockerode';
import { z } from 'zod';
import type { ListedImage } from '../../image-engine.ts';
import { fromDocker } from '../errors.ts';

/** More than that are not shown. */
const mostImages = 5000;

const reply = z.array(
  z.object({
    Id: z.string().regex(/^sha256:[a-f0-9]{64}$/),
    RepoTags: z.array(z.string().max(600)).max(1000).nullish(),
    RepoDigests: z.array(z.string().max(600)).max(1000).nullish(),
    Created: z.number(),
    Size: z.number().nonnegative(),
  }),
);

/** Without those that are only layers of others. */
export async function listImages(docker: Dockerode): Promise<readonly ListedImage[]> {
  try {
    const found = reply.parse(await docker.listImages());
    return found.slice(0, mostImages).map(({ Id, RepoTags, RepoDigests, Created, Size }) => ({
      id: Id,
      // What an Engine calls an image without a name.
      names: (RepoTags ?? []).filter((name) => name !== '<none>:<none>'),
      digests: (RepoDigests ?? []).filter((name) => name !== '<none>@<none>'),
      sizeBytes: Size,
      madeAt: Math.round(Created * 1000),
    }));
  } catch (error) {
    throw fromDocker(error, { kind: 'ask' });
  }
}
