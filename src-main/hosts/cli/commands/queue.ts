// The words after `kohakuriver queue`.
import type { Command } from 'commander';
import { formatDuration } from '../../../domain/duration.ts';
import type { Call, Runner } from '../call.ts';
import { clean } from '../text/clean.ts';
import { formatTable } from '../text/table.ts';
import { isoTime } from '../text/time.ts';
import type { OwnerShare, Shares } from '../../../contract/queue.ts';

export function addQueueCommands(program: Command, runner: Runner): void {
  const queue = program.command('queue').description('how the queue shares what there is');
  runner.action(
    queue.command('shares').description('who used how much; who comes first is first'),
    showShares,
  );
}

async function showShares(call: Call): Promise<void> {
  const shares = await (await call.api()).queue.shares();
  await call.answer(
    () => ({ ...shares, now: isoTime(shares.now) }),
    () =>
      `${formatTable<OwnerShare>(
        [
          { title: 'OWNER', cell: ({ owner }) => clean(owner), canShrink: true },
          { title: 'GPU TIME', cell: ({ gpuSeconds }) => timeOf(gpuSeconds), align: 'right' },
          { title: 'CORE TIME', cell: ({ coreSeconds }) => timeOf(coreSeconds), align: 'right' },
          { title: 'SCORE', cell: ({ score }) => String(Math.round(score)), align: 'right' },
          { title: 'RUNNING', cell: ({ running }) => String(running), align: 'right' },
          { title: 'GPUS', cell: ({ gpus }) => String(gpus), align: 'right' },
          { title: 'CORES', cell: ({ cores }) => String(cores), align: 'right' },
          { title: 'WAITING', cell: ({ waiting }) => String(waiting), align: 'right' },
        ],
        shares.owners,
        call.look,
      )}${call.look.isTerminal ? `\n${rule(shares)}\n` : ''}`,
  );
}

function timeOf(seconds: number): string {
  return formatDuration(Math.round(seconds) * 1000);
}

function rule({ isOn, gpuWeight, halfLifeHours }: Shares): string {
  const weighed = `SCORE = GPU time × ${String(gpuWeight)} + core time, in seconds, and 10 minutes of what runs now; what was used ${String(halfLifeHours)} hours ago counts half.`;
  return isOn
    ? `At equal priority, a lower score comes first. ${weighed}`
    : `Fair share is off (queue.fairShare): only priority and submission decide. ${weighed}`;
}
