import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** What a definition is made of. */
const sourceFile = /\.(ts|sql|csv|json)$/;
/** An editor saves in several steps, and a checkout changes many files. */
const quietMs = 250;

const isHidden = (name: string): boolean => name.startsWith('.');

/** Null when what it looks at went away meanwhile; a folder that is missing is reported by whoever loads the definitions. */
function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The folder and all below it. A project's root is not gone down into its packages. */
function folderTree(folder: string): string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true }));
  if (entries === null) return [];
  if (entries.some(({ name }) => name === 'node_modules')) return [folder];
  const below = entries.filter((entry) => entry.isDirectory() && !isHidden(entry.name));
  return [folder, ...below.flatMap(({ name }) => folderTree(join(folder, name)))];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Calls `onChange` once after each burst of changes to source files below the folders. Answers how to stop.
 *
 * One watcher per folder: Node's recursive one loses sight, on Linux, of a file that was replaced by another of its name, which is how
 * most editors save.
 */
export function watchFolders(folders: readonly string[], onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];

  const changed = (folder: string, name: string | null): void => {
    if (name === null || isHidden(name) || !(sourceFile.test(name) || isFolder(join(folder, name)))) return;
    clearTimeout(timer);
    timer = setTimeout(settled, quietMs);
  };
  const close = (): void => {
    for (const watcher of watchers) watcher.close();
  };
  const open = (): void => {
    watchers = [...new Set(folders.flatMap(folderTree))]
      .map((folder) => unlessGone(() => watch(folder, (_, name) => changed(folder, name))))
      .filter((watcher) => watcher !== null);
    // A folder that is removed ends its watcher; the definitions in it are gone as well, which the next start says.
    for (const watcher of watchers) watcher.on('error', () => watcher.close());
  };
  // Folders may have come and gone.
  const settled = (): void => {
    close();
    open();
    onChange();
  };

  open();
  return () => {
    clearTimeout(timer);
    close();
  };
}
