import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFilesystemObjectStore } from '../../../engines/filesystem/object-store.ts';
import { TerminalError } from '../../../ports/errors.ts';
import { objectStoreConformance } from '../../ports/object-store.case.ts';
import { asNobody } from '../../support/as-nobody.ts';

async function temporaryStore() {
  const root = await mkdtemp(join(tmpdir(), 'ingot-objects-'));
  const store = await openFilesystemObjectStore(root);
  return { root, store, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

objectStoreConformance('the filesystem object store', temporaryStore);

const bytes = (text: string) => new TextEncoder().encode(text);

async function listed(store: Awaited<ReturnType<typeof openFilesystemObjectStore>>): Promise<string[]> {
  const keys: string[] = [];
  for await (const object of store.list('')) keys.push(object.key);
  return keys;
}

test('what a killed writer left is never listed, and removed once it is a day old', async () => {
  await using opened = await temporaryStore();
  const { root, store } = opened;
  await writeFile(join(root, '.tmp', 'young'), 'half');
  await writeFile(join(root, '.tmp', 'old'), 'half');
  await utimes(join(root, '.tmp', 'old'), new Date(0), new Date(0));
  expect(await listed(store)).toEqual([]);
  await openFilesystemObjectStore(root);
  expect(await readdir(join(root, '.tmp'))).toEqual(['young']);
  await expect(store.put('.tmp/young', bytes('x'))).rejects.toThrow(/reserved folder/);
});

test('a put leaves no temporary file behind, whether it ends well or not', async () => {
  await using opened = await temporaryStore();
  const { root, store } = opened;
  await store.put('a', bytes('x'));
  await store.put('a', bytes('y'), { ifAbsent: true });
  const broken = async function* () {
    yield bytes('x');
    throw new Error('broke off');
  };
  await expect(store.put('b', broken())).rejects.toThrow('broke off');
  expect(await readdir(join(root, '.tmp'))).toEqual([]);
});

test('a change in place that keeps size and modification time still changes the etag', async () => {
  await using opened = await temporaryStore();
  const { root, store } = opened;
  await store.put('a', bytes('xxx'));
  const before = await store.head('a');
  await writeFile(join(root, 'a'), 'yyy');
  const instant = new Date(before!.modifiedAt);
  await utimes(join(root, 'a'), instant, instant);
  expect((await store.head('a'))?.etag).not.toBe(before?.etag);
});

test('a folder in place of an object, and an object in place of a folder, are named', async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  await store.put('folder/object', bytes('x'));
  const read = async () => {
    for await (const _ of store.get('folder')) expect.unreachable();
  };
  await expect(read()).rejects.toThrow(/folder: expected a file; found a folder/);
  await expect(store.put('folder', bytes('x'))).rejects.toThrow(/expected a file; found a folder/);
  await expect(store.put('folder', bytes('x'), { ifAbsent: true })).rejects.toThrow(
    /expected a file; found a folder/,
  );
  await expect(store.put('folder/object/below', bytes('x'))).rejects.toThrow(/found a file/);
  expect(await store.head('folder')).toBeNull();
});

test('a name longer than a file may have is refused in words', async () => {
  await using opened = await temporaryStore();
  await expect(opened.store.put('x'.repeat(300), bytes('x'))).rejects.toThrow(/at most 255 bytes/);
});

test('removing the last object of a folder removes the folder', async () => {
  await using opened = await temporaryStore();
  const { root, store } = opened;
  await store.put('a/b/c/d', bytes('x'));
  await store.put('a/e', bytes('x'));
  await store.remove(['a/b/c/d']);
  expect(await readdir(join(root, 'a'))).toEqual(['e']);
});

test('puts and removals of neighbours do not disturb each other', async () => {
  await using opened = await temporaryStore();
  const { store } = opened;
  const work = Array.from({ length: 20 }, async (_, writer) => {
    for (let round = 0; round < 10; round += 1) {
      await store.put(`deep/er/${writer}`, bytes(`${round}`));
      await store.remove([`deep/er/${writer}`]);
    }
  });
  await Promise.all(work);
  expect(await listed(store)).toEqual([]);
});

test('what may not be read is named', async () => {
  await using opened = await temporaryStore();
  const { root, store } = opened;
  await store.put('secret', bytes('x'));
  await chmod(root, 0o755);
  await chmod(join(root, 'secret'), 0o000);
  const read = async () => {
    for await (const _ of store.get('secret')) expect.unreachable();
  };
  await asNobody(() => expect(read()).rejects.toThrow(/permission denied/));
});

test('a root that cannot be a folder is refused', async () => {
  await using opened = await temporaryStore();
  await mkdir(join(opened.root, 'sub'));
  await writeFile(join(opened.root, 'sub', 'file'), 'x');
  await expect(openFilesystemObjectStore(join(opened.root, 'sub', 'file'))).rejects.toThrow(TerminalError);
});
