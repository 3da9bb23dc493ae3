// What was dropped on the page from the desktop, or chosen in a file picker: files with the path
// they have below the folder that was dropped, and the folders themselves (some are empty).

export interface ChosenFile {
  /** Below what was dropped, e.g. `photos/2026/a.jpg`. */
  readonly path: string;
  readonly file: File;
}

export interface Chosen {
  readonly files: readonly ChosenFile[];
  readonly folders: readonly string[];
}

/** Must be called while the drop is handled: afterwards the browser has forgotten it. */
export function entriesOf(transfer: DataTransfer): readonly FileSystemEntry[] {
  return [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
}

/** Walks what was dropped. */
export async function readEntries(entries: readonly FileSystemEntry[]): Promise<Chosen> {
  const files: ChosenFile[] = [];
  const folders: string[] = [];
  const walk = async (entry: FileSystemEntry, above: string): Promise<void> => {
    const path = above + entry.name;
    if (entry.isFile) {
      files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
      return;
    }
    folders.push(path);
    for await (const below of childrenOf(entry as FileSystemDirectoryEntry)) {
      await walk(below, `${path}/`);
    }
  };
  for (const entry of entries) await walk(entry, '');
  return { files, folders };
}

/** What a picker gave: with paths where a folder was chosen. */
export function readPicked(list: FileList): Chosen {
  const files = [...list].map((file) => ({
    path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    file,
  }));
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      folders.add(path.slice(0, at));
    }
  }
  return { files, folders: [...folders] };
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader gives its folder in batches, until an empty one. */
async function* childrenOf(folder: FileSystemDirectoryEntry): AsyncGenerator<FileSystemEntry> {
  const reader = folder.createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return;
    yield* batch;
  }
}
