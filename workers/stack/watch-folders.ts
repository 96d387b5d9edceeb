import { existsSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** What a definition is made of. */
const sourceFile = /\.(ts|sql|csv|json)$/;
/** An editor saves in several steps, and a checkout changes many files. */
const quietMs = 250;

/** Calls `onChange` once after each burst of changes to source files below the folders. Answers how to stop. */
export function watchFolders(folders: readonly string[], onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const changed = (_: string, file: string | null): void => {
    if (file === null || !sourceFile.test(file)) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, quietMs);
  };
  // What is missing is reported by whoever loads the definitions. A project's root is not watched down into its packages.
  const watchers: FSWatcher[] = folders
    .filter((folder) => existsSync(folder))
    .map((folder) => watch(folder, { recursive: !existsSync(join(folder, 'node_modules')) }, changed));
  // A folder that is removed ends its watcher; the definitions in it are gone as well, which the next start says.
  for (const watcher of watchers) watcher.on('error', () => watcher.close());
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
