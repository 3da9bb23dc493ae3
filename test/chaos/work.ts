// What a hundred tasks do while nodes and the core fail: all of it can be told beforehand, and each
// leaves its own record on its node, so that nobody has to believe the core.
import type { TaskSubmissionInput } from '../../src-main/contract/task.ts';
import type { Dice } from '../support/random.ts';

/** A directory on every node that outlives power cuts; also inside of containers. */
export const records = '/chaos';

/** One kind of work, and what it prints. */
export interface Work {
  readonly name: string;
  readonly submission: TaskSubmissionInput;
  readonly stdout: string;
  readonly stderr: string;
  /** How it ends when nothing disturbs it. */
  readonly exitCode: number;
  readonly isOom: boolean;
}

interface Body {
  readonly script: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Lines over a while, every third also to stderr. */
function ticking(lines: number, pause: string): Body {
  const numbers = Array.from({ length: lines }, (_, index) => index + 1);
  return {
    script: `i=0
while [ $i -lt ${lines} ]; do
  i=$((i + 1)); echo "out $i"
  [ $((i % 3)) -ne 0 ] || echo "err $i" >&2
  sleep ${pause}
done`,
    stdout: numbers.map((n) => `out ${n}\n`).join(''),
    stderr: numbers.map((n) => (n % 3 === 0 ? `err ${n}\n` : '')).join(''),
  };
}

/** Much at once, three times. */
function bursting(lines: number): Body {
  const text = Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join('');
  return {
    script: `for round in 1 2 3; do seq 1 ${lines}; seq 1 ${lines} >&2; sleep 2; done`,
    stdout: text.repeat(3),
    stderr: text.repeat(3),
  };
}

/**
 * Says on the node that it begins and how it ends. A GPU is a lock of the kernel there: it is given
 * back when the last process of the work is gone, however it ended.
 */
function recorded(body: string, exitCode: number): string {
  return `a=$KOHAKURIVER_TASK_ID.$KOHAKURIVER_ATTEMPT
echo "$a" >> ${records}/starts
fd=6
for g in $(echo "$KOHAKURIVER_GPUS" | tr , ' '); do
  eval "exec $fd>>${records}/gpu-$g"
  flock -n $fd || echo "$a found GPU $g taken" >> ${records}/double
  fd=$((fd + 1))
done
${body}
echo ${exitCode} > ${records}/$a.done
exit ${exitCode}`;
}

/** So that `flock` is there in an image without it. */
export interface Tools {
  readonly mounts: readonly { readonly source: string; readonly destination: string }[];
}

const image = { kind: 'image', reference: 'river/busybox:1' } as const;

export function makeWork(dice: Dice, count: number, tools: Tools): Work[] {
  return Array.from({ length: count }, (_, index) => oneWork(dice, index, tools));
}

function oneWork(dice: Dice, index: number, { mounts }: Tools): Work {
  const isOom = index % 20 === 7;
  const isProcess = !isOom && dice.is(0.45);
  const body = dice.is(0.25)
    ? bursting(dice.between(2000, 20_000))
    : ticking(dice.between(5, 80), dice.oneOf(['0.2', '0.5']) ?? '0.5');
  const exitCode = dice.is(0.2) ? dice.between(1, 100) : 0;
  const gpus = !isOom && dice.is(0.3) ? { count: dice.between(1, 2) } : null;
  const name = `chaos-${String(index)}`;
  const shared = {
    name,
    gpus,
    cores: 1,
    // What was lost with its node is done again; a failure of its own is not.
    retries: { count: 10, on: ['lost' as const], backoffSeconds: 1 },
    ...(isProcess
      ? { vessel: { kind: 'process' as const } }
      : { vessel: image, mounts: [{ source: records, destination: records }, ...mounts] }),
  };
  if (isOom) {
    const text = recorded('echo before; exec tail /dev/zero', 0);
    const submission = { ...shared, work: { kind: 'script' as const, text }, memoryBytes: 2 ** 25 };
    return { name, submission, stdout: 'before\n', stderr: '', exitCode: 137, isOom };
  }
  const text = recorded(body.script, exitCode);
  const submission = { ...shared, work: { kind: 'script' as const, text } };
  return { name, submission, stdout: body.stdout, stderr: body.stderr, exitCode, isOom };
}
