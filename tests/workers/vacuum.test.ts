import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import type { Ledger, PartitionSelector } from '../../ports/ledger.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { vacuum } from '../../workers/vacuum.ts';
import type { VacuumRequest } from '../../workers/vacuum.ts';
import { ledgersOn } from '../engines/postgres/ledger-fixture.ts';
import { bronze, bronzeDay, manifest, openRun, output, request, writes } from '../ports/ledger/fixture.ts';

const openLedger = ledgersOn(inject('postgresUrl'));
const folders: string[] = [];
const hour = 3_600_000;
const day1 = bronzeDay('2026-01-01');

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

async function openObjects(): Promise<ObjectStore> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-vacuum-'));
  folders.push(folder);
  return openFilesystemObjectStore(folder);
}

const tenBytes = Buffer.from('0123456789');

/** A run that writes one file for the partition, publishes it and ends: the file's key. */
async function completeRun(
  ledger: Ledger,
  objects: ObjectStore,
  selector: PartitionSelector,
): Promise<string> {
  const runId = await openRun(ledger, { workflowId: 'shop-1', startedAt: new Date().toISOString() });
  const key = `data/${bronze.name}/${runId}/load/1.1/part-0.parquet`;
  await objects.put(key, tenBytes);
  const { snapshot } = await ledger.snapshot([writes(selector)]);
  const written = output(selector, { files: [{ key, bytes: 10, rows: 1 }], rows: 1, bytes: 10 });
  await ledger.publish(request(runId, manifest(snapshot, [written])));
  await ledger.endRun(runId, 'success', new Date().toISOString(), null);
  return key;
}

async function keysOf(objects: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const file of objects.list('')) keys.push(file.key);
  return keys;
}

/** As if it were called two hours from now, with a retention of one. */
function inTwoHours(parts: Pick<VacuumRequest, 'ledger' | 'objects'>): VacuumRequest {
  return { ...parts, olderThanMs: hour, dryRun: false, now: Date.now() + 2 * hour };
}

test('files of superseded versions go once the retention has passed, and what readers see stays', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const objects = await openObjects();
  await ledger.registerTables([bronze]);
  const old = await completeRun(ledger, objects, day1);
  const current = await completeRun(ledger, objects, day1);
  const other = await completeRun(ledger, objects, bronzeDay('2026-01-02'));
  const nothing = { versions: 0, versionFiles: [], orphans: [], bytes: 0 };
  expect(await vacuum({ ...inTwoHours({ ledger, objects }), now: Date.now() })).toEqual(nothing);
  const expected = { versions: 1, versionFiles: [old], orphans: [], bytes: 10 };
  expect(await vacuum({ ...inTwoHours({ ledger, objects }), dryRun: true })).toEqual(expected);
  expect(await keysOf(objects)).toHaveLength(3);
  expect(await vacuum(inTwoHours({ ledger, objects }))).toEqual(expected);
  expect(await keysOf(objects)).toEqual([current, other].sort());
  expect(await vacuum(inTwoHours({ ledger, objects }))).toEqual(nothing);
});

test('a vacuum killed between removing files and forgetting them is finished by the next', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const objects = await openObjects();
  await ledger.registerTables([bronze]);
  const old = await completeRun(ledger, objects, day1);
  const current = await completeRun(ledger, objects, day1);
  const killed = { ...ledger, forgetVersions: () => Promise.reject(new Error('killed')) };
  await expect(vacuum(inTwoHours({ ledger: killed, objects }))).rejects.toThrow('killed');
  expect(await keysOf(objects)).toEqual([current]);
  expect(await vacuum(inTwoHours({ ledger, objects }))).toMatchObject({ versions: 1, versionFiles: [old] });
  expect(await ledger.referencedKeys('data/')).toEqual(new Set([current]));
});

test('what a closed run wrote and never published goes; what is open, unknown, young or elsewhere stays', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const objects = await openObjects();
  await ledger.registerTables([bronze]);
  const published = await completeRun(ledger, objects, day1);
  const [closed, open] = [await openRun(ledger), await openRun(ledger)];
  await ledger.endRun(closed, 'failed', new Date().toISOString(), null);
  const orphan = `data/${bronze.name}/${closed}/load/2.1/part-0.parquet`;
  const staged = `data/_manifests/${closed}/load/0/2.1/manifest.json`;
  const kept = [
    `data/${bronze.name}/${open}/load/1.1/part-0.parquet`,
    `data/${bronze.name}/unknown-run/load/1.1/part-0.parquet`,
    `data/${closed}.txt`,
    `raw/transactions/${closed}/load/1.1/part-0.csv`,
  ];
  for (const key of [orphan, staged, ...kept]) await objects.put(key, tenBytes);
  expect((await vacuum({ ...inTwoHours({ ledger, objects }), now: Date.now() })).orphans).toEqual([]);
  const expected = { versions: 0, versionFiles: [], orphans: [staged, orphan], bytes: 20 };
  expect(await vacuum({ ...inTwoHours({ ledger, objects }), dryRun: true })).toEqual(expected);
  expect(await vacuum(inTwoHours({ ledger, objects }))).toEqual(expected);
  expect(await keysOf(objects)).toEqual([published, ...kept].sort());
});
