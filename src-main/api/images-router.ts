import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { ImageService } from '../services/images/image-service.ts';
import type { WireContext } from './context.ts';
import { asLines } from './json-lines.ts';
import type { StreamHandlers } from './wire/serve-wire.ts';

/** The contract's `images`. */
export function imagesRouter(images: ImageService) {
  const os = implement(contract.images).$context<WireContext>();
  return os.router({
    list: os.list.handler(({ input }) => images.list(input.node)),
    remove: os.remove.handler(async ({ input }) => {
      await images.remove(input.node, input.image);
      return { image: input.image };
    }),
    previewPrune: os.previewPrune.handler(({ input }) => images.previewPrune(input.node, input)),
    prune: os.prune.handler(({ input }) => images.prune(input.node, input)),
  });
}

/** The byte streams of images. */
export function imageStreams(images: ImageService): Pick<StreamHandlers, 'images.pull'> {
  return {
    'images.pull': (input, _context, signal) => asLines(images.pull(input, signal)),
  };
}
