// A waiting task that is dragged: over the queue to another place, or onto a GPU.
import type { TaskId } from '../../src-main/contract/ids.ts';

/** A type of its own, so that nothing else can be dropped where tasks are awaited. */
const type = 'application/x-kohakuriver-task';

export const draggedTask = {
  start(transfer: DataTransfer | null, id: TaskId): void {
    transfer?.setData(type, id);
    if (transfer !== null) transfer.effectAllowed = 'move';
  },
  isIn(transfer: DataTransfer | null): boolean {
    return transfer?.types.includes(type) === true;
  },
  read(transfer: DataTransfer | null): TaskId | undefined {
    const id = transfer?.getData(type);
    return id === undefined || id === '' ? undefined : (id as TaskId);
  },
};
