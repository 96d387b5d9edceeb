import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutputFiles } from '../../../engines/duckdb/output-files.ts';
import { openFilesystemObjectStore } from '../../../engines/filesystem/object-store.ts';
import { temporaryFolder } from '../../workflows/harness.ts';

/** Of a job whose store is a folder of this machine. */
async function openedHere() {
  const folder = await temporaryFolder();
  const objects = await openFilesystemObjectStore(join(folder.path, 'lake'));
  const files = new OutputFiles(objects, join(folder.path, 'spill'));
  return {
    objects,
    files,
    async [Symbol.asyncDispose]() {
      await files[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('any number of files is written through where they stand', async () => {
  await using opened = await openedHere();
  const under = await opened.files.folder('out/of the way');
  for (let index = 0; index < 100; index += 1) {
    const path = join(under.path, `${index}.parquet`);
    await writeFile(path, 'rows');
    opened.files.keep(under, [path]);
  }
  await opened.files.settled();
  await opened.files.settled();
  expect(await opened.objects.head('out/of the way/99.parquet')).toMatchObject({ bytes: 4 });
});

test('a file that cannot be made lasting fails who waits for it, however early it was met', async () => {
  await using opened = await openedHere();
  const under = await opened.files.folder('out/');
  opened.files.keep(under, [join(under.path, 'gone.parquet')]);
  await new Promise((resolve) => setImmediate(resolve));
  await writeFile(join(under.path, 'there.parquet'), 'rows');
  opened.files.keep(under, [join(under.path, 'there.parquet')]);
  await expect(opened.files.settled()).rejects.toThrow(/ENOENT/);
});
