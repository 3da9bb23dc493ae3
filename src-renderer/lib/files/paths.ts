// Paths of files as the pages use them. A name is data of whoever made the file: what cannot be
// shown in it is made visible, and nothing in it is ever markup.

export function joinPath(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export interface Crumb {
  readonly name: string;
  readonly path: string;
}

/** The parts of a path and where each leads, the root first. */
export function crumbs(path: string): readonly Crumb[] {
  const parts = path.split('/').filter((part) => part !== '');
  return [
    { name: '/', path: '/' },
    ...parts.map((name, at) => ({ name, path: `/${parts.slice(0, at + 1).join('/')}` })),
  ];
}

/** Why a name cannot be one, in words; undefined for one that can. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return undefined;
  if (name === '.' || name === '..') return 'This name means the folder itself or the one above.';
  if (name.includes('/')) return 'A name cannot hold “/”.';
  if (name.includes('\0')) return 'A name cannot hold a NUL.';
  const bytes = new TextEncoder().encode(name).length;
  return bytes > 255 ? `A name can be 255 bytes long; this one has ${bytes}.` : undefined;
}

/** Bytes that are no text, and characters that would move or turn the line, as what they are. */
export function shownName(name: string): string {
  return name
    .replace(/[\uDC80-\uDCFF]/gu, (raw) => `\\x${(raw.charCodeAt(0) - 0xdc00).toString(16)}`)
    .replace(/\p{Cc}|[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (control) =>
      control === '\n' ? '\\n' : `\\u{${(control.codePointAt(0) ?? 0).toString(16)}}`,
    );
}
