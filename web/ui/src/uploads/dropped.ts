/** The files in what a person drops or chooses, folders walked through to their last file. */

export interface DroppedFile {
  file: File;
  /** Folders it lay in, from what was dropped on: "Iceland/Day 1", or empty. */
  folder: string;
}

/** What systems and programs hide among pictures, and nobody means to add. */
const isHidden = (name: string): boolean =>
  name.startsWith('.') || ['thumbs.db', 'desktop.ini'].includes(name.toLowerCase());

/** Must be called while the drop event is handled: its items are gone after it. */
export function entriesOf(transfer: DataTransfer): FileSystemEntry[] {
  return [...transfer.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    return entry ? [entry] : [];
  });
}

/** Raises `DOMException` when a folder may not be read. */
export async function filesOf(entries: FileSystemEntry[]): Promise<DroppedFile[]> {
  const found: DroppedFile[] = [];
  for (const entry of entries) await walk(entry, '', found);
  return found;
}

/** The files of an `<input type="file">`, which names folders in `webkitRelativePath`. */
export function filesChosen(list: FileList): DroppedFile[] {
  return [...list]
    .map((file) => ({ file, folder: file.webkitRelativePath.split('/').slice(0, -1).join('/') }))
    .filter(({ file, folder }) => ![file.name, ...folder.split('/')].some(isHidden));
}

async function walk(entry: FileSystemEntry, folder: string, found: DroppedFile[]): Promise<void> {
  if (isHidden(entry.name)) return;
  if (entry.isFile) {
    found.push({ file: await fileOf(entry as FileSystemFileEntry), folder });
  } else {
    const below = folder ? `${folder}/${entry.name}` : entry.name;
    for (const child of await childrenOf(entry as FileSystemDirectoryEntry))
      await walk(child, below, found);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** `readEntries` gives a hundred at a time and nothing when there are no more. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (!some.length) return children.sort((a, b) => a.name.localeCompare(b.name));
    children.push(...some);
  }
}
