import type { TaskId } from '../../../src-main/contract/ids.ts';
import type { AttemptSpec } from '../../../src-main/runtimes/runtime.ts';

/** An attempt as the dispatcher would order it. */
export function aSpec(changes: Partial<AttemptSpec> = {}): AttemptSpec {
  return {
    taskId: '4711' as TaskId,
    attempt: 2,
    batchId: '9',
    taskType: 'command',
    nodeName: 'n1',
    owner: 'anna',
    name: null,
    work: { kind: 'command', argv: ['python', '-c', 'print(1)'] },
    vessel: { kind: 'image', reference: 'debian:12' },
    env: { A: '1' },
    mounts: [],
    workdir: null,
    user: null,
    privileged: false,
    cores: 2,
    memoryBytes: 8 * 1024 ** 3,
    numa: null,
    gpus: [],
    labels: {},
    logBufferBytes: 1024 ** 3,
    ...changes,
  };
}
