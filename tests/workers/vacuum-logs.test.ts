import { expect, inject, test } from 'vitest';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import { vacuumLogs } from '../../workers/vacuum-logs.ts';
import { ledgersOn } from '../engines/postgres/ledger-fixture.ts';
import { openRun } from '../ports/ledger/fixture.ts';
import { temporaryFolder } from '../workflows/harness.ts';

const openLedger = ledgersOn(inject('postgresUrl'));

test('logs, and what attempts kept of jobs elsewhere, past their time go, unless their run is open; nothing else does', async () => {
  await using fixture = await openLedger();
  await using folder = await temporaryFolder();
  const { ledger } = fixture;
  const objects = await openFilesystemObjectStore(folder.path);
  const [closed, open] = [await openRun(ledger), await openRun(ledger)];
  await ledger.endRun(closed, 'success', new Date().toISOString(), null);
  const gone = [
    `logs/shop/${closed}/load/1/a-000000.jsonl`,
    'logs/shop/unknown/load/3/1/a-000000.jsonl',
    `jobs/shop.load/${closed}/1/memory/prepared.json`,
  ];
  const kept = [
    `logs/shop/${open}/load/1/a-000000.jsonl`,
    `jobs/shop.load/${open}/1/memory/prepared.json`,
    'logs/readme.txt',
    `raw/${closed}/load/1/a-000000.jsonl`,
  ];
  for (const key of [...gone, ...kept]) await objects.put(key, Buffer.from('0123456789'));
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of objects.list('')) found.push(key);
    return found;
  };
  const request = { ledger, objects, olderThanMs: 3_600_000, dryRun: false, now: Date.now() };
  expect(await vacuumLogs(request)).toEqual({ files: 0, bytes: 0 });
  const later = { ...request, now: Date.now() + 7_200_000 };
  expect(await vacuumLogs({ ...later, dryRun: true })).toEqual({ files: 3, bytes: 30 });
  expect(await keys()).toHaveLength(7);
  expect(await vacuumLogs(later)).toEqual({ files: 3, bytes: 30 });
  expect(await keys()).toEqual(kept.toSorted());
  expect(await vacuumLogs(later)).toEqual({ files: 0, bytes: 0 });
});
