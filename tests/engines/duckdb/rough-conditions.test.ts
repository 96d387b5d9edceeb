import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDuckDbSqlEngine } from '../../../engines/duckdb/sql-engine.ts';
import { openFilesystemObjectStore } from '../../../engines/filesystem/object-store.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import { column, input, job, keys, output } from '../../ports/sql-engine/fixture.ts';
import { asNobody } from '../../support/as-nobody.ts';
import { openedEngine } from './opened.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const csv = (key: string, prefix = 'records') => ({
  id: `csv/${prefix}`,
  sources: [{ key }],
  columns: ['a', 'b'],
  allowNewColumns: false,
  prefix,
});

/** A small disk; null where this user may not mount one. */
function smallDisk(folder: string, megabytes: number): Disposable | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  if (spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]).status !== 0)
    return null;
  return { [Symbol.dispose]: () => void execFileSync('/bin/umount', ['-l', folder]) };
}

const canMount = await (async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-mount-'));
  const disk = smallDisk(folder, 1);
  disk?.[Symbol.dispose]();
  await rm(folder, { recursive: true });
  return disk !== null;
})();

test.skipIf(!canMount)(
  'a full disk under the spill folder is said, to be tried again (needs the right to mount)',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'ingot-full-'));
    const spillFolder = join(root, 'spill');
    await mkdir(spillFolder);
    const disk = smallDisk(spillFolder, 8);
    try {
      const objects = await openFilesystemObjectStore(join(root, 'lake'));
      const engine = await openDuckDbSqlEngine({
        objects,
        memoryLimitBytes: 96 << 20,
        spillFolder,
        threads: 2,
      });
      const large = job({
        steps: [
          { name: 'sorted', sql: `select md5(i::varchar) as k, i from range(5000000) r(i) order by k` },
        ],
      });
      const failing = engine.run(large);
      await expect(failing).rejects.toThrow(RetryableError);
      await expect(failing).rejects.toThrow(/step sorted: expected free space/);
      await expect(
        engine.run(job({ measures: [{ name: 'm', sql: 'select 1 as n' }] })),
      ).resolves.toMatchObject({ measures: { m: [{ n: '1' }] } });
      await engine.close();
    } finally {
      disk?.[Symbol.dispose]();
      await rm(root, { recursive: true, force: true });
    }
  },
);

test.skipIf(!canMount)(
  'a full disk under the lake fails an import and an output, and leaves no file (needs the right to mount)',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'ingot-full-'));
    const lake = join(root, 'lake');
    await mkdir(lake);
    const disk = smallDisk(lake, 24);
    try {
      const objects = await openFilesystemObjectStore(lake);
      const engine = await openDuckDbSqlEngine({
        objects,
        memoryLimitBytes: 512 << 20,
        spillFolder: join(root, 'spill'),
        threads: 2,
      });
      const random = `select md5(i::varchar) || md5((i + 1)::varchar) as k from range(2000000) r(i)`;
      await expect(
        engine.run(job({ outputs: [output(random, [column('k', 'text')], { prefix: 'out' })] })),
      ).rejects.toThrow(/expected free space/);
      expect(await keys(objects, 'out')).toEqual([]);
      await objects.put(
        'in.csv',
        (async function* () {
          yield bytes('a,b\n');
          for (let at = 0; at < 200; at += 1)
            yield bytes(
              Array.from(
                { length: 1000 },
                (_, line) => `${at * 7919 + line * 104_729},${Math.sin(at * 1000 + line)}\n`,
              ).join(''),
            );
        })(),
      );
      await writeFile(join(lake, 'filler'), Buffer.alloc(18 << 20));
      await expect(engine.importCsv(csv('in.csv'))).rejects.toThrow(RetryableError);
      expect(await keys(objects, 'records')).toEqual([]);
      await expect(objects.put('more', Buffer.alloc(20 << 20))).rejects.toThrow(
        /expected free space; found a full disk/,
      );
      await engine.close();
    } finally {
      disk?.[Symbol.dispose]();
      await rm(root, { recursive: true, force: true });
    }
  },
);

test('a file that may not be read is named', async () => {
  await using opened = await openedEngine();
  await opened.objects.put('secret.csv', bytes('a,b\n1,2\n'));
  for (const folder of [join(opened.lake, '..'), opened.lake]) await chmod(folder, 0o755);
  await chmod(join(opened.lake, 'secret.csv'), 0o000);
  await asNobody(async () => {
    await expect(opened.engine.csvHeader('secret.csv')).rejects.toThrow(
      /secret\.csv: expected permission.*found permission denied/,
    );
    await expect(opened.engine.importCsv(csv('secret.csv'))).rejects.toThrow(TerminalError);
  });
});

test('a spill folder that cannot be written is refused when the engine opens', async () => {
  await using opened = await openedEngine();
  await writeFile(join(opened.lake, 'file'), 'x');
  const options = { objects: opened.objects, memoryLimitBytes: 1 << 28, threads: 1 };
  await expect(openDuckDbSqlEngine({ ...options, spillFolder: join(opened.lake, 'file') })).rejects.toThrow(
    /spill folder that can be written/,
  );
});

test('a folder in place of a CSV file is named', async () => {
  await using opened = await openedEngine();
  await opened.objects.put('folder.csv/part', bytes('a,b\n'));
  await expect(opened.engine.importCsv(csv('folder.csv'))).rejects.toThrow(
    /folder\.csv: expected a file; found a folder/,
  );
  await expect(opened.engine.csvHeader('folder.csv')).rejects.toThrow(/found a folder/);
});

for (const [what, change] of [
  ['shrinks', (path: string) => truncate(path, 1 << 20)],
  ['grows', (path: string) => writeFile(path, 'more,\n', { flag: 'a' })],
  ['vanishes', (path: string) => rm(path)],
] as const)
  test(`a file that ${what} while it is read fails the job and leaves nothing`, async () => {
    await using opened = await openedEngine();
    await opened.objects.put('in.csv', bytes(`a,b\n${'1234567,abcdefgh\n'.repeat(3_000_000)}`));
    let changed: Promise<void> | undefined;
    const beat = () => {
      changed ??= change(join(opened.lake, 'in.csv'));
    };
    await expect(opened.engine.importCsv(csv('in.csv'), { beat })).rejects.toThrow(
      /in\.csv: expected a file that stays as it is while it is read/,
    );
    await changed;
    expect(await keys(opened.objects, 'records')).toEqual([]);
  });

test('spill space of dead processes is cleaned when an engine opens, that of living ones kept, its own given back', async () => {
  await using first = await openedEngine();
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await mkdir(join(first.spillFolder, `spill-${dead}-left`));
  await writeFile(join(first.spillFolder, `spill-${dead}-left`, 'temporary.tmp'), 'x');
  await mkdir(join(first.spillFolder, `spill-${process.ppid}-other`));
  const own = await readdir(first.spillFolder);
  const second = await openDuckDbSqlEngine({
    objects: first.objects,
    memoryLimitBytes: 1 << 28,
    spillFolder: first.spillFolder,
  });
  const during = await readdir(first.spillFolder);
  expect(during).not.toContain(`spill-${dead}-left`);
  expect(during).toHaveLength(own.length);
  await second.close();
  expect((await readdir(first.spillFolder)).toSorted()).toEqual(
    own.filter((name) => !name.includes(`-${dead}-`)).toSorted(),
  );
});

test('several jobs at once share one memory limit and all end well', async () => {
  await using opened = await openedEngine({ memoryLimitBytes: 300 << 20 });
  const sorting = (seed: number) =>
    job({
      steps: [
        {
          name: 'sorted',
          sql: `select md5((i * ${seed})::varchar) as k, i from range(1500000) r(i) order by k`,
        },
      ],
      measures: [{ name: 'm', sql: 'select count(*) as n from sorted' }],
    });
  const results = await Promise.all([3, 5, 7, 11].map((seed) => opened.engine.run(sorting(seed))));
  expect(results.map((result) => result.measures['m'])).toEqual(
    Array.from({ length: 4 }, () => [{ n: '1500000' }]),
  );
});

test('closing the engine stops what runs', async () => {
  await using opened = await openedEngine();
  const { promise, resolve } = Promise.withResolvers<void>();
  const endless = job({
    measures: [
      {
        name: 'm',
        sql: 'select count(*) from range(1000000) a, range(1000000) b, range(1000) c where a.range + b.range + c.range = -1',
      },
    ],
  });
  const running = opened.engine.run(endless, { beat: () => resolve() });
  running.catch(() => undefined);
  await promise;
  await opened.engine.close();
  await expect(running).rejects.toThrow(RetryableError);
  await expect(opened.engine.run(endless)).rejects.toThrow(/closed/);
  expect(await readdir(opened.spillFolder)).toEqual([]);
});

test('a lake may lie under a path full of characters that mean something to DuckDB', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ingot we[i]rd *? \'q\' "d" %20 ü='));
  try {
    const objects = await openFilesystemObjectStore(join(root, 'a=b', 'lake'));
    const engine = await openDuckDbSqlEngine({
      objects,
      memoryLimitBytes: 1 << 28,
      spillFolder: join(root, 'spill'),
      threads: 2,
    });
    await objects.put('in [1].csv', bytes('a,b\n1,"x"\n2\n'));
    const imported = await engine.importCsv(csv('in [1].csv', 'records [1]'));
    const columns = [column('line_number', 'bigint'), column('b', 'text'), column('day', 'date', false)];
    const stored = input('records', [{ ...imported.written, partition: { day: '2026-01-01' } }], columns, [
      'day',
    ]);
    const written = await engine.run(
      job({
        inputs: [stored],
        outputs: [
          output('select line_number, b, day from records', columns, {
            partitionBy: ['day'],
            prefix: 'out *',
          }),
        ],
      }),
    );
    const again = input('again', written.outputs['out']!, columns, ['day']);
    const read = await engine.run(
      job({ inputs: [again], measures: [{ name: 'm', sql: 'select * from again order by line_number' }] }),
    );
    expect(read.measures['m']).toEqual([
      { line_number: '2', b: 'x', day: '2026-01-01' },
      { line_number: '3', b: '', day: '2026-01-01' },
    ]);
    for (const { key } of again.files) expect(await engine.parquetSchema(key)).toHaveLength(2);
    const exported: Uint8Array[] = [];
    for await (const chunk of engine.exportCsv('select line_number from again order by 1', [again]))
      exported.push(chunk);
    expect(Buffer.concat(exported).toString()).toBe('2\n3\n');
    await engine.close();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
