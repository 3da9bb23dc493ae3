import { linkScheme } from './names.ts';

/** What a link may open: the word in it, and the page that shows such a thing. */
const pages: Readonly<Record<string, string>> = {
  task: 'tasks',
  tasks: 'tasks',
  node: 'nodes',
  nodes: 'nodes',
};

/** IDs and names as they are on our pages; anything else is no link of ours. */
const reference = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,127}$/u;

/**
 * The place in the app that a link such as `kohakuriver://task/123` means; undefined for one that
 * means none. Anybody can send a link: it can only ever show something.
 */
export function placeOfLink(link: string): string[] | undefined {
  if (!URL.canParse(link)) return undefined;
  const { protocol, host, pathname, search, hash } = new URL(link);
  if (protocol !== `${linkScheme}:` || search !== '' || hash !== '') return undefined;
  const page = Object.hasOwn(pages, host) ? pages[host] : undefined;
  if (page === undefined) return undefined;
  const ref = decoded(pathname.replace(/^\//, '').replace(/\/$/, ''));
  if (ref === '') return [page];
  return ref !== undefined && reference.test(ref) ? [page, ref] : undefined;
}

/** The link among the arguments of a start, as Linux and Windows pass it. */
export function linkAmong(argv: readonly string[]): string | undefined {
  return argv.find((word) => word.startsWith(`${linkScheme}://`));
}

/** A place as the part of the page's address behind `#`. */
export function hashOf(place: readonly string[] | undefined): string {
  return place === undefined ? '' : `#/${place.map(encodeURIComponent).join('/')}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
