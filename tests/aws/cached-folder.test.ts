import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedFolder } from './cached-folder.ts';

let parent = '';
let builds = 0;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ingot-cache-'));
  builds = 0;
});
afterEach(async () => await rm(parent, { recursive: true, force: true }));

const read = (folder: string): Promise<string> => readFile(join(folder, 'content'), 'utf8');

function spec(key: string, build?: (folder: string) => Promise<void>) {
  return {
    name: 'thing',
    parent: join(parent, 'cache'),
    key,
    isWhole: (folder: string) =>
      read(folder).then(
        () => true,
        () => false,
      ),
    progress: () => {},
    build: async (folder: string) => {
      builds += 1;
      await (build?.(folder) ?? writeFile(join(folder, 'content'), key));
    },
  };
}

test('is built once for all who want it at the same time, and anew for another key', async () => {
  const folders = await Promise.all([1, 2, 3].map(() => cachedFolder(spec('one'))));
  expect(new Set(folders).size).toBe(1);
  expect(builds).toBe(1);
  const other = await cachedFolder(spec('two'));
  expect([await read(folders[0] ?? ''), await read(other), builds]).toEqual(['one', 'two', 2]);
});

test('mends itself when a file is gone, when it was left half-written, and after a build that failed', async () => {
  const folder = await cachedFolder(spec('one'));
  await rm(join(folder, 'content'));
  expect(await read(await cachedFolder(spec('one')))).toBe('one');
  await rm(join(folder, 'complete'));
  await writeFile(join(folder, 'content'), 'half');
  await mkdir(`${folder}.1.building`);
  expect(await read(await cachedFolder(spec('one')))).toBe('one');
  const failing = spec('two', () => Promise.reject(new Error('no network')));
  await expect(cachedFolder(failing)).rejects.toThrow('no network');
  expect(await read(await cachedFolder(spec('two')))).toBe('two');
  const left = await readdir(dirname(folder));
  expect(left.filter((entry) => entry.endsWith('.building'))).toEqual([]);
});
