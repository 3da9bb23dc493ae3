// The schedulers we are compared with, on a node of the testbed: Debian's own packages, put there and
// nowhere else. Slurm is tuned for throughput; how, is in `slurmConf`.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../testbed/script.ts';
import type { Testbed } from '../../support/testbed.ts';

const packages = ['slurm-wlm', 'munge', 'task-spooler'];
const cache = join(import.meta.dirname, '../../../.cache/peers');
const node = 'n1';

function succeeded<T extends { code: number; stdout: string; stderr: string }>(output: T): T {
  if (output.code === 0) return output;
  throw new Error(`exit code ${output.code}: ${output.stderr}${output.stdout}`);
}

/** Downloads Debian's packages; nothing is installed on this machine, which the nodes stand on. */
async function download(): Promise<void> {
  await mkdir(join(cache, 'partial'), { recursive: true });
  const options = ['-o', `Dir::Cache::archives=${cache}`, '--no-install-recommends'];
  const argv = ['apt-get', 'install', '--download-only', '-y', '-q', ...options, ...packages];
  const { code } = await run(argv);
  if (code === 0) return;
  succeeded(await run(['apt-get', 'update', '-q']));
  succeeded(await run(argv));
}

/** Installs the peers in the bed's first node. */
export async function installPeers(bed: Testbed): Promise<void> {
  await download();
  const debs = (await readdir(cache)).filter((name) => name.endsWith('.deb'));
  const tar = `tar -C ${cache} -cf - ${debs.join(' ')} | TB_BED=${bed.id} bash test/testbed/testbed.sh exec ${node} tar -C /tmp -xf -`;
  succeeded(await run(['sh', '-c', tar]));
  await bed.sh(
    node,
    'DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/*.deb > /tmp/dpkg.log 2>&1 || { tail -5 /tmp/dpkg.log; exit 1; }',
  );
}

export const slurmTuning =
  'SchedulerType=sched/backfill with batch_sched_delay=0, sched_min_interval=0, default_queue_depth=5000; SelectType=select/cons_tres (CR_Core); proctrack/linuxproc, task/none, no accounting, no prolog, logs at error';

function slurmConf(slots: number): string {
  return `ClusterName=bench
SlurmctldHost=${node}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=/var/spool/bench-ctld
SlurmdSpoolDir=/var/spool/bench-d
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,default_queue_depth=5000
ReturnToService=2
MaxArraySize=10001
MaxJobCount=50000
MinJobAge=10
SlurmctldDebug=error
SlurmdDebug=error
SlurmctldLogFile=/var/log/bench-ctld.log
SlurmdLogFile=/var/log/bench-d.log
NodeName=${node} NodeAddr=127.0.0.1 CPUs=${slots} State=UNKNOWN
PartitionName=all Nodes=${node} Default=YES State=UP
`;
}

/** Brings up munge, slurmctld and slurmd by hand, on loopback. */
export async function startSlurm(bed: Testbed, slots: number): Promise<string> {
  await bed.sh(node, 'mkdir -p /etc/slurm && cat > /etc/slurm/slurm.conf', {
    input: slurmConf(slots),
  });
  await bed.sh(
    node,
    `mkdir -p /run/munge /var/spool/bench-ctld /var/spool/bench-d
[ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 2>/dev/null
chown -R munge: /etc/munge /run/munge /var/log/munge /var/lib/munge && chmod 400 /etc/munge/munge.key
su -s /bin/sh munge -c '/usr/sbin/munged --force' > /dev/null 2>&1
slurmctld > /dev/null 2>&1
slurmd > /dev/null 2>&1
i=0; until sinfo -h -o %T 2>/dev/null | grep -q idle; do i=$((i + 1)); [ $i -lt 300 ] || exit 1; sleep 0.2; done`,
  );
  return (await bed.sh(node, 'slurmctld -V')).trim();
}

/** Until nothing is queued or runs. */
const untilSlurmIsEmpty = 'while [ -n "$(squeue -h -r -o %i | head -n 1)" ]; do sleep 0.25; done';

export interface Peer {
  readonly name: string;
  /** How many jobs it gets: fewer where each takes long, so that a comparison ends. */
  readonly tasks: number;
  /** Submits so many trivial jobs and waits until all have ended. */
  readonly runMany: (count: number) => Promise<void>;
}

export function peersOn(
  bed: Testbed,
  { slots, tasks }: { readonly slots: number; readonly tasks: number },
): Peer[] {
  const fewer = Math.min(tasks, Math.max(slots, Math.round(tasks * 0.15)));
  const sh = async (script: string) => void (await bed.sh(node, script, { timeoutMs: 1_200_000 }));
  return [
    {
      name: 'task-spooler (`tsp`)',
      tasks,
      runMany: (count) =>
        sh(
          `export TS_SOCKET=/tmp/bench-tsp TS_MAXFINISHED=5; tsp -S ${slots}; i=0; while [ $i -lt ${count} ]; do tsp -n true > /dev/null; i=$((i + 1)); done; while tsp | grep -qE ' (queued|running) '; do sleep 0.05; done; tsp -K`,
        ),
    },
    {
      name: 'Slurm, one `sbatch` each',
      tasks: fewer,
      runMany: (count) =>
        sh(
          `cd /tmp; i=0; while [ $i -lt ${count} ]; do sbatch -Q -o /dev/null --wrap true; i=$((i + 1)); done; ${untilSlurmIsEmpty}`,
        ),
    },
    {
      name: 'Slurm, one array',
      tasks: fewer,
      runMany: (count) =>
        sh(`cd /tmp; sbatch -Q -o /dev/null --array=1-${count} --wrap true; ${untilSlurmIsEmpty}`),
    },
  ];
}
