// Workspaces of the fake core, on the same files: saved, looked through, and watched without anything
// ever changing.
import type { StreamOptions } from '../../../src-main/contract/client.ts';
import type { StreamInput } from '../../../src-main/contract/procedures.ts';
import { findInput, type FindHit, type FindNews } from '../../../src-main/contract/workspace.ts';
import type { Api } from '../client.ts';
import type { FakeDisk } from './fake-files.ts';
import { answering, lines, linesAsTheyCome, textOf } from './fake-bytes.ts';

/** More than that is not looked through. */
const mostBytes = 100_000;

export function fakeWorkspace(disk: FakeDisk) {
  const api: Api['workspace'] = {
    look: async ({ path }) => ({ info: disk.info(path), isWritable: true }),
  };
  const find = (given: StreamInput<'workspace.find'>): readonly FindNews[] => {
    const { path: folder, text, isCaseSensitive } = findInput.parse(given);
    const wanted = isCaseSensitive ? text : text.toLowerCase();
    const hits: FindHit[] = [];
    for (const path of disk.paths().filter((each) => each.startsWith(`${folder}/`))) {
      const { kind, size } = disk.info(path);
      const content = kind === 'file' && size < mostBytes ? disk.contentOf(path) : undefined;
      if (content?.includes(0) !== false) continue;
      const of = path.slice(folder.length + 1);
      new TextDecoder()
        .decode(content)
        .split('\n')
        .forEach((line, at) => {
          const here = isCaseSensitive ? line : line.toLowerCase();
          if (here.includes(wanted)) hits.push({ path: of, line: at + 1, text: line });
        });
    }
    return [
      { kind: 'hits', hits },
      { kind: 'end', isCut: false, unread: 0 },
    ];
  };
  return {
    api,
    streams: {
      'workspace.save': (input: StreamInput<'workspace.save'>, { upload }: StreamOptions) =>
        answering(async () => {
          const all = await textOf(upload);
          const text = new TextDecoder().decode(
            new TextEncoder().encode(all).slice(input.basisBytes),
          );
          return { outcome: 'saved', info: disk.write(input.path, text) };
        }),
      'workspace.find': (input: StreamInput<'workspace.find'>) => lines(find(input)),
      'workspace.watch': (_input: StreamInput<'workspace.watch'>, { signal }: StreamOptions) =>
        linesAsTheyCome(async function* () {
          yield { kind: 'watching', how: 'events' };
          await new Promise<void>((resolve) =>
            signal?.addEventListener('abort', () => resolve(), { once: true }),
          );
        }),
    },
  };
}
