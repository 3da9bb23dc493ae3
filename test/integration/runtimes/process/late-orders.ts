// Orders that arrive when somebody has decided otherwise: they begin nothing.
import { expect, test } from 'vitest';
import type { NodeLink } from '../../../../src-main/link/node-link.ts';
import { readNodeScript } from '../../../../src-main/runtimes/node-scripts.ts';
import { attemptOf, core, launch, never, runToEnd } from '../support.ts';
import { changes, directoryOf, runtimeOver, type ProcessStage } from './stage.ts';

const prepare = { signal: never, onProgress: () => undefined };

class TooSlow extends Error {}

/** A link over which what starts attempts does not arrive, when it is slow, until it is let: whoever sent it has given it up by then. */
function slowToStart(link: NodeLink) {
  const underWay: (() => ReturnType<NodeLink['runScript']>)[] = [];
  const slow = {
    isSlow: false,
    link: new Proxy(link, {
      get: (target, name: keyof NodeLink) => {
        if (name === 'runScript') return runScript;
        const value: unknown = target[name];
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    }),
    async arrive(): Promise<string> {
      const results = await Promise.all(underWay.splice(0).map((send) => send()));
      return results.map(({ stdout }) => stdout.toString()).join('');
    },
  };
  const runScript: NodeLink['runScript'] = (script, args, options) => {
    const send = () => link.runScript(script, args, options);
    if (!slow.isSlow || script !== readNodeScript('process-launch.sh')) return send();
    underWay.push(send);
    return Promise.reject(new TooSlow());
  };
  return slow;
}

export function describeLateOrders(stage: () => ProcessStage): void {
  test.each(['this computer', 'busybox', 'SSH'])(
    'what a shell was told and hears too late begins nothing: %s',
    async (where) => {
      const { local, busybox, ssh } = stage();
      const link = { 'this computer': local, busybox, SSH: ssh }[where]!;
      const counted = () => attemptOf('echo ran >> "$HOME/runs"', changes);
      const ran = async () =>
        (await link.runScript('cat "$HOME/runs"; rm "$HOME/runs"')).stdout.toString();

      // Given up, and tried again over the same connection.
      const slow = slowToStart(link);
      const runtime = runtimeOver(slow.link);
      const first = counted();
      const beside = counted();
      slow.isSlow = true;
      await expect(launch(runtime, first)).rejects.toThrow(TooSlow);
      slow.isSlow = false;
      await Promise.all([runToEnd(runtime, first), runToEnd(runtime, beside)]);
      for (const spec of [first, beside]) await runtime.remove(spec, { keep: false });
      expect(await ran()).toBe('ran\nran\n');
      expect(await slow.arrive()).toContain(`${first.taskId}/1 refused`);

      // Its link dropped, and a later connection has looked.
      const second = counted();
      slow.isSlow = true;
      await expect(launch(runtime, second)).rejects.toThrow(TooSlow);
      const later = runtimeOver(link);
      expect(await later.inspect(second)).toBeUndefined();
      expect(await slow.arrive()).toContain(`${second.taskId}/1 refused`);
      await runToEnd(later, second);
      await later.remove(second, { keep: false });
      expect(await ran()).toBe('ran\n');
      expect(await later.list()).toEqual([]);
      // The earlier one goes on, where it was not gone after all.
      slow.isSlow = false;
      const third = counted();
      await launch(runtime, third);
      await later.waitForEnd(third, never);
      await later.remove(third, { keep: false });
      expect(await ran()).toBe('ran\n');
      await Promise.all([runtime.close(), later.close()]);
    },
  );

  test.each(['shell', 'runner'] as const)(
    'what is removed before it began is claimed first, and what is just beginning stays: by a %s',
    async (by) => {
      const { bed, ssh } = stage();
      const runtime = runtimeOver(ssh, core, by === 'runner' ? 'always' : undefined);
      // So that there is one.
      if (by === 'runner') await runToEnd(runtime, attemptOf('true', changes));
      const made = async () => {
        const spec = attemptOf('true', changes);
        await runtime.create(spec, await runtime.prepare(spec, prepare));
        return { spec, dir: `/root/${directoryOf(spec)}` };
      };
      const kept = await made();
      await runtime.remove(kept.spec, { keep: true });
      await bed.sh('n1', `test -f ${kept.dir}.kept/launched`);
      await runtime.remove(kept.spec, { keep: false });

      // Somebody's start has claimed it, and the work is about to begin.
      const beginning = await made();
      await bed.sh('n1', `touch ${beginning.dir}/launched`);
      await expect(runtime.remove(beginning.spec, { keep: false })).rejects.toThrow('still runs');
      await bed.sh('n1', `touch -d '-2 minutes' ${beginning.dir}/launched`);
      await runtime.remove(beginning.spec, { keep: false });
      expect(await bed.sh('n1', `ls -d ${beginning.dir} 2>/dev/null || true`)).toBe('');
      await runtime.close();
    },
  );
}
