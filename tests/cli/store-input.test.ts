import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { storeInput } from '../../cli/commands/run.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

let folder: string;
let objects: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-input-'));
  objects = await openFilesystemObjectStore(join(folder, 'lake'));
});
afterEach(() => rm(folder, { recursive: true }));

/** The store, with something that happens right before a body is read. */
function before(happens: () => Promise<void>): ObjectStore {
  return Object.assign(Object.create(objects) as ObjectStore, {
    put: async (...call: Parameters<ObjectStore['put']>) => {
      await happens();
      return objects.put(...call);
    },
  });
}

test('a file that shrinks while it is taken in is refused, and taken in whole the next time', async () => {
  const file = join(folder, 'day.csv');
  const whole = 'a,b\n1,2\n3,4\n';
  await writeFile(file, whole);
  await expect(
    storeInput(
      before(() => truncate(file, 8)),
      'payments',
      file,
    ),
  ).rejects.toThrow(/day\.csv: expected a file that stays as it is while it is read; found it changed/);

  await writeFile(file, whole);
  const key = await storeInput(objects, 'payments', file);
  expect((await objects.head(key))?.bytes).toBe(whole.length);
});
