import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DurableFiles } from '../../../engines/duckdb/durable-files.ts';
import { temporaryFolder } from '../../workflows/harness.ts';

test('any number of files is written through, and addresses elsewhere are left alone', async () => {
  await using folder = await temporaryFolder();
  const paths = Array.from({ length: 100 }, (_, index) => join(folder.path, `${index}.parquet`));
  const durable = new DurableFiles();
  for (const path of paths) {
    await writeFile(path, 'rows');
    durable.add([path, 's3://elsewhere/rows.parquet']);
  }
  await durable.settled();
  await durable.settled();
});

test('a file that cannot be written through fails who waits for it, however early it was met', async () => {
  await using folder = await temporaryFolder();
  const durable = new DurableFiles();
  durable.add([join(folder.path, 'gone.parquet')]);
  await writeFile(join(folder.path, 'there.parquet'), 'rows');
  await new Promise((resolve) => setImmediate(resolve));
  durable.add([join(folder.path, 'there.parquet')]);
  await expect(durable.settled()).rejects.toThrow(/ENOENT/);
});
