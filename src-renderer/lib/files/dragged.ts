// Files that are dragged out of a pane: onto the other pane, a folder, or a terminal.
import { filePath, filePlace, type FilePlace } from '../../../src-main/contract/files.ts';
import { z } from 'zod';

/** A type of its own, so that nothing else can be dropped as if it were files of a place. */
const type = 'application/x-kohakuriver-files';

const draggedFiles = z.object({ place: filePlace, paths: z.array(filePath).min(1) });
export interface DraggedFiles {
  readonly place: FilePlace;
  readonly paths: readonly string[];
}

export const dragged = {
  start(transfer: DataTransfer | null, files: DraggedFiles): void {
    transfer?.setData(type, JSON.stringify(files));
    if (transfer !== null) transfer.effectAllowed = 'copy';
  },
  /** Whether files of a pane, or of the desktop, are over something. */
  isIn(transfer: DataTransfer | null): boolean {
    return transfer?.types.includes(type) === true || dragged.isFromDesktop(transfer);
  },
  /** Whether an element was left, and not only one part of it for another. */
  hasLeft({ currentTarget, relatedTarget }: DragEvent): boolean {
    const [whole, next] = [currentTarget, relatedTarget];
    return !(whole instanceof Node && next instanceof Node && whole.contains(next));
  },
  isFromDesktop(transfer: DataTransfer | null): boolean {
    return transfer?.types.includes('Files') === true;
  },
  read(transfer: DataTransfer | null): DraggedFiles | undefined {
    const text = transfer?.getData(type);
    if (text === undefined || text === '') return undefined;
    return draggedFiles.safeParse(JSON.parse(text)).data;
  },
};
