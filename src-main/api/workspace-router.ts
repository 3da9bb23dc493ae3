import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { WorkspaceService } from '../services/workspace/workspace-service.ts';
import type { WireContext } from './context.ts';
import { asLines, once } from './json-lines.ts';
import type { StreamHandlers } from './wire/serve-wire.ts';

/** The contract's `workspace`. */
export function workspaceRouter(workspace: WorkspaceService) {
  const os = implement(contract.workspace).$context<WireContext>();
  return os.router({ look: os.look.handler(({ input }) => workspace.look(input)) });
}

export type WorkspaceStreams = Pick<
  StreamHandlers,
  'workspace.save' | 'workspace.find' | 'workspace.watch'
>;

/** The byte streams of workspaces. */
export function workspaceStreams(workspace: WorkspaceService): WorkspaceStreams {
  return {
    'workspace.save': (input, _context, { incoming }) =>
      asLines(once(workspace.save(input, incoming))),
    'workspace.find': (input, _context, signal) => asLines(workspace.find(input, signal)),
    'workspace.watch': (input, _context, signal) => asLines(workspace.watch(input, signal)),
  };
}
