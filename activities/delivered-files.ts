import type { Contract } from '../dag/contract.ts';
import { partitionText } from '../dag/relation.ts';
import type { PartitionValues } from '../dag/relation.ts';
import { RetryableError, TerminalError } from '../ports/errors.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import type { IngestOptions } from './ingest.ts';
import { sameContent } from './object-content.ts';
import type { TaskContext } from './task-context.ts';

/** The files of a date: the object named by the run's input, or what lies in the landing folder. */
export async function findFiles(
  { landing, hint }: IngestOptions<Contract, Contract>,
  { ports, params }: TaskContext,
  input: string | null,
  date: string,
): Promise<readonly ObjectInfo[]> {
  const noFile = (expected: string, found: string): TerminalError =>
    new TerminalError({ expected, found, remedy: `${hint.replaceAll('<date>', date)} Then run again.` });
  if (input !== null) {
    const info = await ports.objects.head(input);
    if (info === null)
      throw noFile(
        `the object ${input}, named by the run's input`,
        `no such object (params ${JSON.stringify(params)})`,
      );
    return [info];
  }
  const prefix = `${landing}/${date}/`;
  const found: ObjectInfo[] = [];
  const others: string[] = [];
  for await (const info of ports.objects.list(prefix)) {
    if (/^[^/]+\.csv$/i.test(info.key.slice(prefix.length))) found.push(info);
    else others.push(info.key);
  }
  if (found.length === 0)
    throw noFile(
      `at least one CSV file under ${prefix}`,
      others.length === 0
        ? `nothing at ${ports.objects.location(prefix)}`
        : `only ${others.slice(0, 5).join(', ')}`,
    );
  return found;
}

/** Copies each file to its place in the raw zone, unless it is there; a file of the same name with other content gets a name of its own. */
export async function keepFiles(
  { files, keep }: IngestOptions<Contract, Contract>,
  context: TaskContext,
  delivered: readonly ObjectInfo[],
  partition: PartitionValues,
): Promise<readonly ObjectInfo[]> {
  const folder = `${keep}/${partitionText(files.table, partition)}`;
  const kept: ObjectInfo[] = [];
  for (const file of delivered) {
    context.signal.throwIfAborted();
    context.beat(`keeping ${file.key}`);
    const used = new Set(kept.map(({ key }) => key));
    kept.push(await keepFile(file, folder, used, context));
  }
  return kept;
}

/** No two files share a place: rows are told apart by it. */
async function keepFile(
  file: ObjectInfo,
  folder: string,
  used: ReadonlySet<string>,
  context: TaskContext,
): Promise<ObjectInfo> {
  const { objects } = context.ports;
  const name = file.key.split('/').at(-1)!;
  if (file.key.startsWith(`${folder}/`)) return file;
  for (let version = 1; ; version++) {
    const key =
      version === 1 ? `${folder}/${name}` : `${folder}/${name.replace(/(\.[^.]*)?$/, `~${version}$1`)}`;
    const there = await objects.head(key);
    if (there === null) return copyWhole(objects, file, key);
    if (!used.has(key) && (await sameContent(objects, file, there, context))) return there;
  }
}

/** A copy of a file that was written to meanwhile may be half of one and half of the other. */
async function copyWhole(objects: ObjectStore, file: ObjectInfo, key: string): Promise<ObjectInfo> {
  const kept = await objects.copy(file.key, key);
  const now = await objects.head(file.key);
  if (now?.etag === file.etag) return kept;
  await objects.remove([key]);
  throw new RetryableError({
    place: file.key,
    expected: 'a file that is complete',
    found:
      now === null
        ? 'one that was removed while it was copied'
        : `one that changed while it was copied (${file.bytes} bytes, then ${now.bytes})`,
    remedy: 'Deliver it under another name and rename it when it is whole; the task tries again.',
  });
}
