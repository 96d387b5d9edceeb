import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchFolders } from '../../workers/stack/watch-folders.ts';

let folder: string;
let changes: number;
let stop: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-watch-'));
  mkdirSync(join(folder, 'gold'));
  writeFileSync(join(folder, 'gold', 'model.sql'), 'select 0');
  changes = 0;
  stop = watchFolders([folder], () => (changes += 1));
});
afterEach(() => {
  stop();
  rmSync(folder, { recursive: true });
});

/** As most editors save: the new text aside, then in the place of the old. */
function save(path: string, text: string): void {
  writeFileSync(`${path}.draft`, text);
  renameSync(`${path}.draft`, path);
}

async function noticed(change: () => void): Promise<void> {
  const before = changes;
  change();
  await vi.waitFor(() => expect(changes).toBeGreaterThan(before), { timeout: 20_000 });
}

test('every save of a file is noticed, also when it is replaced each time', async () => {
  const model = join(folder, 'gold', 'model.sql');
  for (const text of ['select 1', 'select 2', 'select 3']) await noticed(() => save(model, text));
  await noticed(() => writeFileSync(model, 'select 4'));
});

test('files of a new folder, and of one that was removed and made again, are noticed', async () => {
  const silver = join(folder, 'silver');
  for (const round of [1, 2]) {
    await noticed(() => mkdirSync(silver));
    await noticed(() => save(join(silver, 'model.sql'), `select ${round}`));
    await noticed(() => rmSync(silver, { recursive: true }));
  }
});
