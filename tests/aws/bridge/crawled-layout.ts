import type { StoredFile } from './lake-reader.ts';

export interface FoundPartition {
  readonly values: readonly string[];
  readonly location: string;
}

export interface FoundTable {
  readonly name: string;
  readonly location: string;
  readonly partitionKeys: readonly string[];
  readonly partitions: readonly FoundPartition[];
  readonly files: readonly StoredFile[];
}

function foldersOf(file: StoredFile, location: string): string[] {
  return file.uri.slice(location.length).split('/').slice(0, -1);
}

function keyOf(folder: string, depth: number): string {
  const equals = folder.indexOf('=');
  return equals > 0 ? folder.slice(0, equals).toLowerCase() : `partition_${depth}`;
}

function valueOf(folder: string): string {
  return decodeURIComponent(folder.slice(folder.indexOf('=') + 1));
}

function tableAt(location: string, files: readonly StoredFile[]): FoundTable {
  const paths = new Map(
    files.map((file) => [foldersOf(file, location).join('/'), foldersOf(file, location)]),
  );
  const [longest = []] = [...paths.values()].toSorted((left, right) => right.length - left.length);
  const partitions = [...paths]
    .filter(([, folders]) => folders.length === longest.length && longest.length > 0)
    .map(([path, folders]) => ({ values: folders.map(valueOf), location: `${location}${path}/` }));
  const folder = location.split('/').at(-2) ?? '';
  return {
    name: folder.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_'),
    location,
    partitionKeys: longest.map(keyOf),
    partitions,
    files,
  };
}

/**
 * Tables and partitions below a crawler's target: `k=v` folders are partitions; where nothing but plain folders lies at the top, each is a
 * table of its own. The real crawler decides between the two by comparing schemas.
 */
export function crawledLayout(target: string, files: readonly StoredFile[]): FoundTable[] {
  const location = target.endsWith('/') ? target : `${target}/`;
  const tops = [...new Set(files.map((file) => foldersOf(file, location)[0]))];
  const arePlain = tops.every((top) => top !== undefined && !top.includes('='));
  if (!arePlain || tops.length === 0) return files.length === 0 ? [] : [tableAt(location, files)];
  return tops.map((top) => {
    const below = `${location}${top}/`;
    return tableAt(
      below,
      files.filter(({ uri }) => uri.startsWith(below)),
    );
  });
}
