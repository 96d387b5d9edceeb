import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the code and SQL of definitions lie: the shipped pipelines, the task kinds, and the folders of the files given. */
export function definitionFolders(files: readonly string[] = []): readonly string[] {
  const own = ['../pipelines/', '../activities/', '../dag/'].map((folder) =>
    fileURLToPath(new URL(folder, import.meta.url)),
  );
  return [...new Set([...own, ...files.map((file) => dirname(resolve(file)))])];
}
