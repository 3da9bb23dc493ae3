// What of workspaces is kept in this browser: which files were open, and how each was looked at.
import { z } from 'zod';

const keptWorkspace = z.object({
  key: z.string(),
  tabs: z.array(z.string()).max(64),
  active: z.string().nullable(),
  expanded: z.array(z.string()).max(200),
  sideWidth: z.number(),
  isHiddenShown: z.boolean(),
  isWrapped: z.boolean(),
  isAutosaved: z.boolean(),
});
export type KeptWorkspace = z.infer<typeof keptWorkspace>;

const storageKey = 'kohakuriver.workspaces';
/** The last ones only. */
const mostKept = 20;

function readAll(): readonly KeptWorkspace[] {
  try {
    const kept = z
      .array(keptWorkspace)
      .safeParse(JSON.parse(localStorage.getItem(storageKey) ?? '[]'));
    return kept.data ?? [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

export function keptOf(key: string): KeptWorkspace | undefined {
  return readAll().find((each) => each.key === key);
}

export function keep(workspace: KeptWorkspace): void {
  const others = readAll().filter(({ key }) => key !== workspace.key);
  localStorage.setItem(storageKey, JSON.stringify([workspace, ...others].slice(0, mostKept)));
}
