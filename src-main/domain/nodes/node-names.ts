// Names for nodes out of host names and aliases.

/** The nearest allowed name: disallowed characters become `-`. `node` where nothing is left. */
export function nodeNameFrom(text: string): string {
  const isAddress = /^[0-9.]+$/.test(text) || text.includes(':');
  const short = isAddress ? text : (text.split('.')[0] ?? text);
  const name = short
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
    .replace(/[-._]+$/, '');
  return name === '' ? 'node' : name;
}

/** The name itself, or the first of `name-2`, `name-3`… that nobody has. Compared without case. */
export function uniqueName(wanted: string, taken: Iterable<string>): string {
  const names = new Set([...taken].map((name) => name.toLowerCase()));
  if (!names.has(wanted.toLowerCase())) return wanted;
  for (let number = 2; ; number++) {
    const ending = `-${String(number)}`;
    const candidate = wanted.slice(0, 63 - ending.length) + ending;
    if (!names.has(candidate.toLowerCase())) return candidate;
  }
}
