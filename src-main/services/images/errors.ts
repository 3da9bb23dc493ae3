import type { ErrorCode } from '../../contract/error-codes.ts';
import { AppError } from '../../contract/errors.ts';

export class ImageError extends AppError<
  Extract<ErrorCode, `image/${string}` | 'not-found/image'>
> {}

export function unknownImage(image: string, node: string): ImageError {
  return new ImageError('not-found/image', `There is no image ${image} on ${node}.`, {
    details: { image },
  });
}

export function imageInUse(image: string, users: readonly string[]): ImageError {
  const more = users.length > 5 ? ` and ${String(users.length - 5)} more` : '';
  return new ImageError(
    'image/in-use',
    `${image} is in use by ${users.slice(0, 5).join(', ')}${more}. Remove those first.`,
    { retry: 'after-user-action', details: { image, users: users.length } },
  );
}

export function keptElsewhere(image: string, kind: 'environment' | 'snapshot'): ImageError {
  const where =
    kind === 'environment'
      ? 'a version of an environment: let it go with `env prune` or `env remove`'
      : 'a snapshot of a VPS: let it go with `vps snapshot delete`';
  return new ImageError('image/kept-elsewhere', `${image} is ${where}.`, {
    retry: 'after-user-action',
    details: { image },
  });
}
