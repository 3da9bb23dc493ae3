// Image references, by the grammar of the distribution project (reference/regexp.go).
import type { Vessel } from '../../contract/task.ts';
import { ImageNotFoundError } from './errors.ts';

/** An image as it is asked for. Exactly one of tag and digest decides; a bare name means `latest`. */
export interface ImageReference {
  /** Registry and path, without tag or digest. */
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  /** As given, with the tag filled in. */
  readonly text: string;
  /** An environment of ours: never pulled, since nobody publishes it. */
  readonly isEnvironment: boolean;
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const host = '(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:]+\\])(?::\\d{1,5})?';
const grammar = new RegExp(
  `^((?:${host}/)?${component}(?:/${component})*)(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[a-f0-9]{64}))?$`,
);

/** Reads the reference a vessel names. Throws `docker/image-not-found` for what cannot be one. */
export function imageOf(vessel: Vessel): ImageReference {
  if (vessel.kind === 'environment') {
    const [name = '', tag = 'base'] = vessel.name.split(':');
    const repository = `kohakuriver/${name}`;
    const text = `${repository}:${tag}`;
    return { repository, tag, digest: null, text, isEnvironment: true };
  }
  if (vessel.kind === 'process') throw new TypeError('A process runs in no image.');
  const reference = parseReference(vessel.reference);
  // Snapshots are only on the nodes where they were taken or copied to.
  const isOurs = reference.repository.startsWith('kohakuriver-snapshot/');
  return { ...reference, isEnvironment: isOurs };
}

function parseReference(text: string): Omit<ImageReference, 'isEnvironment'> {
  const match = grammar.exec(text);
  const repository = match?.[1];
  if (repository === undefined) {
    throw new ImageNotFoundError(
      `${text} is not an image reference. One looks like debian:12 or registry.example/team/image:tag.`,
      { details: { image: text } },
    );
  }
  const digest = match?.[3] ?? null;
  const tag = match?.[2] ?? (digest === null ? 'latest' : null);
  const full = repository + (tag === null ? '' : `:${tag}`) + (digest === null ? '' : `@${digest}`);
  return { repository, tag, digest, text: full };
}
