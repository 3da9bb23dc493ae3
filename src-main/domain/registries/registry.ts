// Which registry an image comes from, by the rules of Docker's references (distribution/reference/normalize.go).

/** What Docker Hub is called here, whatever it was called. */
export const dockerHub = 'docker.io';
const namesOfHub = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'hub.docker.com',
]);

/** The host of a registry as people write it: with its port, without a scheme or a path. */
export function registryHost(text: string): string {
  const host = text
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return namesOfHub.has(host) ? dockerHub : host;
}

/** The registry of `registry.example/team/image:tag`; Docker Hub for `debian:12` and `team/image`. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? registryHost(first) : dockerHub;
}

/** A reference as an Engine lists it: without Docker Hub's own name, with its tag or its digest. */
export function listedName(reference: string): string {
  const short = reference.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '');
  const [name = '', digest] = short.split('@');
  // A colon before the last slash is that of a port.
  const tagged = /^(.*?)(:[^:/]*)?$/.exec(name);
  if (digest !== undefined) return `${tagged?.[1] ?? name}@${digest}`;
  return tagged?.[2] === undefined ? `${name}:latest` : name;
}

/** Where the Engine looks for the account. */
export function registryAddress(host: string): string {
  return host === dockerHub ? 'https://index.docker.io/v1/' : host;
}

/** The registries whose images a Dockerfile names. What variables stand for is not known. */
export function registriesIn(dockerfile: string): string[] {
  const named = dockerfile
    .split('\n')
    .flatMap((line) => [
      /^\s*from\s+(?:--\S+\s+)*([^\s$]+)(?:\s|$)/i.exec(line)?.[1] ?? [],
      /^\s*(?:copy|add)\s.*?--from=([^\s$]+)/i.exec(line)?.[1] ?? [],
    ])
    .flat();
  return [...new Set(named.map(registryOf))];
}
