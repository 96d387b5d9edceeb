import { TerminalError } from '../../ports/errors.ts';
import type { PartitionVersion } from '../../ports/ledger.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** Never written to: what a version without files points at. Readers find no object there, so no row. */
export const emptyFolder = 'data/_empty/';

/** Longest folder that all files of a version are in, with its last slash. A file that was cut into pieces has them in a folder below. */
export function versionFolder({ files }: Pick<PartitionVersion, 'files'>): string {
  const [first, ...others] = files.map(({ key }) => key.split('/').slice(0, -1));
  if (first === undefined) return emptyFolder;
  const shared = others.reduce((folder, other) => {
    const at = folder.findIndex((part, index) => part !== other[index]);
    return at === -1 ? folder : folder.slice(0, at);
  }, first);
  return shared.map((part) => `${part}/`).join('');
}

/** What readers of a folder leave out: markers of writers, and the folder's own entry. */
function isHidden(key: string): boolean {
  const name = key.split('/').at(-1)!;
  return name === '' || name.startsWith('_') || name.startsWith('.');
}

/**
 * A reader from outside takes every object below the location for rows of the partition. Throws TerminalError when the folder of a version
 * holds more than its files, or less.
 */
export async function checkFolder(
  objects: Pick<ObjectStore, 'list'>,
  version: PartitionVersion,
): Promise<void> {
  const folder = versionFolder(version);
  const own = new Set(version.files.map(({ key }) => key));
  const strange: string[] = [];
  if (folder === '') strange.push('files in the root of the lake');
  else
    for await (const { key } of objects.list(folder)) {
      if (own.delete(key) || isHidden(key)) continue;
      strange.push(key);
      if (strange.length === 3) break;
    }
  if (strange.length === 0 && own.size === 0) return;
  throw new TerminalError({
    place: `${version.table}${version.partitionText === '' ? '' : `/${version.partitionText}`}, version ${version.version}`,
    expected: `its ${version.files.length} files, and no others, in ${folder === '' ? 'a folder of its own' : folder}`,
    found: strange.length > 0 ? `also ${strange.join(', ')}` : `no ${[...own].slice(0, 3).join(', ')}`,
    remedy:
      'Write each partition of a version to a folder of its own (`attemptPrefix` gives one), and run the task again: until then the catalog shows what it showed before.',
  });
}
