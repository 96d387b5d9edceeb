import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import { csv, files, intake, raw } from './shop.ts';

const date = '2026-01-05';
const landing = `landing/sales/${date}`;
const kept = `raw/sales/day=${date}`;

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function list(prefix: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of harness.ports.objects.list(prefix)) found.push(info);
  return found;
}

async function keysOf(table: typeof files): Promise<string[]> {
  return (await harness.ports.ledger.partitions(table.name)).flatMap((partition) =>
    partition.files.map(({ key }) => key),
  );
}

test('a day without files fails, and says where it looked and how to get one', async () => {
  const { failures } = await harness.run(intake(), date);
  expect(failures['ingest']).toContain(`at least one CSV file under ${landing}/`);
  expect(failures['ingest']).toContain(harness.ports.objects.location(`${landing}/`));
  expect(failures['ingest']).toContain(`Put one there for ${date}.`);
});

test('files that are not CSV are named, not read', async () => {
  await harness.put(`${landing}/sales.truth.json`, '{}');
  expect((await harness.run(intake(), date)).failures['ingest']).toContain(
    `only ${landing}/sales.truth.json`,
  );
});

test('an input that is not there is named', async () => {
  expect(
    (await harness.run(intake(), date, { input: 'landing/elsewhere.csv' })).failures['ingest'],
  ).toContain('landing/elsewhere.csv');
});

test('the input of a run is taken in place of the landing folder', async () => {
  await harness.put(`${landing}/a.csv`, csv('a1,1,2026-01-05T10:00:00Z,north'));
  await harness.put('elsewhere/b.csv', csv('b1,2,2026-01-05T10:00:00Z,south'));
  expect((await harness.run(intake(), date, { input: 'elsewhere/b.csv' })).outcome).toBe('success');
  expect(await harness.rows(raw, ['id'])).toEqual([{ id: 'b1' }]);
});

test('files are kept byte for byte, and their records are text rows with the malformed ones raw', async () => {
  const text = csv(' a1 ,1.50,2026-01-05T10:00:00Z,north', 'a2,2', '"a""3",x,"two\nlines",');
  await harness.put(`${landing}/a.csv`, text);
  expect((await harness.run(intake(), date)).outputs['ingest']).toMatchObject({
    malformed: 1,
    unreadable: [],
    records: { rows: 3 },
  });
  expect(await keysOf(files)).toEqual([`${kept}/a.csv`]);
  const chunks: Uint8Array[] = [];
  for await (const chunk of harness.ports.objects.get(`${kept}/a.csv`)) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe(text);
  const columns = ['line_number', 'id', 'price', 'at', 'shop', 'malformed', 'raw'];
  expect(await harness.rows(raw, columns)).toEqual([
    {
      line_number: '2',
      id: ' a1 ',
      price: '1.50',
      at: '2026-01-05T10:00:00Z',
      shop: 'north',
      malformed: 'false',
      raw: null,
    },
    { line_number: '3', id: '', price: '', at: '', shop: '', malformed: 'true', raw: 'a2,2' },
    { line_number: '4', id: 'a"3', price: 'x', at: 'two\nlines', shop: '', malformed: 'false', raw: null },
  ]);
});

test('a file that is there already is not copied again, a changed one of the same name is kept beside it', async () => {
  await harness.put(`${landing}/a.csv`, csv('a1,1,2026-01-05T10:00:00Z,north'));
  await harness.run(intake(), date);
  const before = await list(kept);
  await harness.run(intake(), date);
  expect(await list(kept)).toEqual(before);

  await harness.put(`${landing}/a.csv`, csv('a2,1,2026-01-05T10:00:00Z,north'));
  await harness.run(intake(), date);
  expect(await keysOf(files)).toEqual([`${kept}/a~2.csv`]);
  expect((await list(kept)).map(({ key }) => key)).toEqual([`${kept}/a.csv`, `${kept}/a~2.csv`]);
  expect(await harness.rows(raw, ['id'])).toEqual([{ id: 'a2' }]);
});

test('a file delivered twice under two names is read twice', async () => {
  await harness.put(`${landing}/a.csv`, csv('a1,1,2026-01-05T10:00:00Z,north'));
  await harness.put(`${landing}/a-again.csv`, csv('a1,1,2026-01-05T10:00:00Z,north'));
  await harness.run(intake(), date);
  expect(await harness.rows(raw, ['source_file', 'id'])).toEqual([
    { source_file: `${kept}/a-again.csv`, id: 'a1' },
    { source_file: `${kept}/a.csv`, id: 'a1' },
  ]);
});

test('a new file that is equal to an earlier version of another is kept apart from it', async () => {
  const [first, second] = [csv('a1,1,2026-01-05T10:00:00Z,north'), csv('a2,2,2026-01-05T10:00:00Z,north')];
  await harness.put(`${landing}/a.csv`, first);
  await harness.run(intake(), date);
  await harness.put(`${landing}/a.csv`, second);
  await harness.run(intake(), date);
  await harness.put(`${landing}/a~2.csv`, second);
  await harness.run(intake(), date);
  expect(await keysOf(files)).toEqual([`${kept}/a~2.csv`, `${kept}/a~2~2.csv`]);
  expect(await harness.rows(raw, ['id'])).toEqual([{ id: 'a2' }, { id: 'a2' }]);
});

test('files in folders below are named, not read', async () => {
  await harness.put(`${landing}/old/a.csv`, csv('a1,1,2026-01-05T10:00:00Z,north'));
  expect((await harness.run(intake(), date)).failures['ingest']).toContain(`only ${landing}/old/a.csv`);
});

test.each([
  ['an empty file', ''],
  ['a binary file', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 0xff, 0xfe, 0, 0, 10, 13, 0, 7])],
])('%s fails the task by its name', async (_, content) => {
  await harness.put(`${landing}/bad.csv`, content);
  expect((await harness.run(intake(), date)).failures['ingest']).toContain('bad.csv');
});

test('a file with a header only is a day without rows', async () => {
  await harness.put(`${landing}/none.csv`, csv());
  expect((await harness.run(intake(), date)).outcome).toBe('success');
  expect(await harness.ports.ledger.partitions(raw.name)).toMatchObject([{ rows: 0 }]);
});

test('a file that is still being written is not kept', async () => {
  await harness.put(`${landing}/a.csv`, csv('a1,1,2026-01-05T10:00:00Z,north'));
  const { objects } = harness.ports;
  const grown = csv('a1,1,2026-01-05T10:00:00Z,north', 'a2,2,2026-01-05T10:00:00Z,north');
  const growing: ObjectStore = {
    put: (...call) => objects.put(...call),
    get: (...call) => objects.get(...call),
    head: (key) => objects.head(key),
    list: (prefix) => objects.list(prefix),
    remove: (keys) => objects.remove(keys),
    location: (key) => objects.location(key),
    async copy(from, to) {
      const copied = await objects.copy(from, to);
      await objects.put(from, Buffer.from(grown));
      return copied;
    },
  };
  const { failures } = await harness.run(intake(), date, {}, { objects: growing });
  expect(failures['ingest']).toMatch(
    /a\.csv: expected a file that is complete; found one that changed while it was copied \(\d+ bytes, then \d+\)/,
  );
  expect(await list(kept)).toEqual([]);
  expect((await harness.run(intake(), date)).outcome).toBe('success');
  expect(await harness.rows(raw, ['id'])).toEqual([{ id: 'a1' }, { id: 'a2' }]);
});
