import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workerBuild } from '../../workers/build-id.ts';

test('a worker is told apart by the code it runs, edits between commits included', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-build-'));
  const file = join(folder, 'dags.ts');
  writeFileSync(file, 'export const dags = [];');
  const before = await workerBuild({}, [file]);
  expect(before).toMatch(/^\d+\.\d+\.\d+\+([0-9a-f]{9}\.)?[0-9a-f]{8}$/);
  expect(await workerBuild({}, [file])).toBe(before);
  writeFileSync(join(folder, 'model.sql'), 'select 1');
  const withModel = await workerBuild({}, [file]);
  expect(withModel).not.toBe(before);
  writeFileSync(join(folder, 'model.sql'), 'select 2');
  expect(await workerBuild({}, [file])).not.toBe(withModel);
  expect(await workerBuild({ INGOT_BUILD: 'image-7' }, [file])).toBe('image-7');
});
