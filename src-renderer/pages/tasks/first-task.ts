import type { TaskSubmissionInput } from '../../../src-main/contract/task.ts';

/** A task that runs anywhere, takes half a minute, and shows placement, colours and both outputs. */
export const firstTask: TaskSubmissionInput = {
  name: 'first-task',
  vessel: { kind: 'process' },
  memoryBytes: 256 * 2 ** 20,
  work: {
    kind: 'script',
    text: [
      'echo "Hello from $(hostname). I am task $KOHAKURIVER_TASK_ID."',
      'for i in $(seq 1 30); do',
      `  printf '\\033[36mstep %2d\\033[0m of 30  \\033[32m%s\\033[0m\\n' "$i" "$(date +%T)"`,
      '  sleep 1',
      'done',
      'echo "This line goes to stderr." >&2',
      'echo "Done. Submit your own with the New task button."',
      '',
    ].join('\n'),
  },
};
