import { implement } from '@orpc/server';
import { contract } from '../contract/procedures.ts';
import type { ForwardsService } from '../services/forwards/forwards-service.ts';
import type { SshHosts } from '../services/forwards/ssh-hosts.ts';
import type { WireContext } from './context.ts';
import { feedFrom } from './feed.ts';

/** The contract's `forwards`. */
export function forwardsRouter(forwards: ForwardsService) {
  const os = implement(contract.forwards).$context<WireContext>();
  return os.router({
    list: os.list.handler(() => forwards.list()),
    watch: os.watch.handler(({ signal }) =>
      feedFrom({
        snapshot: () => forwards.list(),
        onDidChange: forwards.onDidChange,
        // Counts rise all the time: of several views of one forward the newest is enough.
        coalesce: (change) => ('upsert' in change ? change.upsert.id : undefined),
        signal,
      }),
    ),
    add: os.add.handler(({ input }) => forwards.add(input.spec)),
    pause: os.pause.handler(({ input }) => forwards.pause(input.forward)),
    resume: os.resume.handler(({ input }) => forwards.resume(input.forward)),
    remove: os.remove.handler(async ({ input }) => ({ id: await forwards.remove(input.forward) })),
  });
}

/** The contract's `ssh`. */
export function sshRouter(ssh: SshHosts) {
  const os = implement(contract.ssh).$context<WireContext>();
  return os.router({
    describe: os.describe.handler(({ input }) => ssh.describe(input.task)),
    setUp: os.setUp.handler(({ input }) => ssh.setUp(input.task, input.mayInclude)),
  });
}
