// Paths of POSIX systems as text. Nothing here touches a disk.

/** The longest name a usual file system takes, in bytes. */
export const longestNameBytes = 255;

/** A path below a directory. `name` may hold further slashes. */
export function joinPath(directory: string, name: string): string {
  if (name === '') return directory;
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/** The last part: `c` of `/a/b/c` and of `/a/b/c/`; empty for the root. */
export function baseName(path: string): string {
  const trimmed = trimSlashes(path);
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** The directory a path lies in; the root's is the root. */
export function parentPath(path: string): string {
  const trimmed = trimSlashes(path);
  const at = trimmed.lastIndexOf('/');
  return at <= 0 ? '/' : trimmed.slice(0, at);
}

/** Without slashes at the end. The root stays `/`. */
export function trimSlashes(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' && path.startsWith('/') ? '/' : trimmed;
}

/** Resolves `.`, `..` and double slashes of an absolute path by its text alone. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Whether `path` is `directory` or lies below it. Both absolute and normal. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** Whether one entry of a directory can have this name: what a hostile server lists may not. */
export function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}
