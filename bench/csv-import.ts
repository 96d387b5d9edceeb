import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { openDuckDbSqlEngine } from '../engines/duckdb/sql-engine.ts';
import { openFilesystemObjectStore } from '../engines/filesystem/object-store.ts';
import { generatePayments } from '../pipelines/payments/generator.ts';

/**
 * One file of generated payments, dirt and all, turned into text Parquet: by the engine's exact import, beside DuckDB's own
 * reader with rejects kept (which knows neither lines nor raw text of good neighbours). Each round is a process of its own.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    memory: { type: 'string', default: '1536' },
    part: { type: 'string' },
    root: { type: 'string' },
  },
});

interface Measured {
  readonly elapsedMs: number;
  readonly peakMiB: number;
}

const columns = ['txn_id', 'merchant_id', 'user_id', 'amount', 'currency', 'status', 'txn_ts', 'country'];
const memoryMiB = Number(values.memory);

async function imported(root: string): Promise<void> {
  const objects = await openFilesystemObjectStore(root);
  const engine = await openDuckDbSqlEngine({
    objects,
    memoryLimitBytes: memoryMiB * 2 ** 20,
    spillFolder: join(root, 'spill'),
    threads: 2,
  });
  await engine.importCsv({
    id: 'bench',
    sources: [{ key: 'payments.csv' }],
    columns,
    allowNewColumns: false,
    prefix: `imported-${process.pid}`,
  });
  await engine.close();
}

async function byHand(root: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: `${memoryMiB}MiB`,
    temp_directory: join(root, 'spill'),
    preserve_insertion_order: 'false',
  });
  const connection = await instance.connect();
  const types = columns.map((name) => `'${name}': 'VARCHAR'`).join(', ');
  const reader = `read_csv('${join(root, 'payments.csv')}', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', store_rejects = true, columns = {${types}})`;
  await connection.run(
    `COPY (SELECT * FROM ${reader}) TO '${join(root, `by-hand-${process.pid}.parquet`)}' (FORMAT parquet, COMPRESSION snappy)`,
  );
}

async function measured(root: string, part: string): Promise<Measured> {
  const options = ['--part', part, '--root', root, '--memory', values.memory];
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, ...options]);
  return JSON.parse(stdout) as Measured;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

async function compare(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-bench-csv-'));
  try {
    const [file] = await generatePayments({
      into: root,
      dates: ['2026-01-01'],
      rows: Number(values.rows),
      seed: 1,
    });
    await rename(file!.paths[0]!, join(root, 'payments.csv'));
    const { size } = await stat(join(root, 'payments.csv'));
    console.log(
      `${Number(values.rows).toLocaleString('en')} rows, ${Math.round(size / 1e6)} MB, ${values.rounds} rounds`,
    );
    const rounds: { readonly ours: Measured; readonly hand: Measured }[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const hand = await measured(root, 'by-hand');
      const ours = await measured(root, 'imported');
      rounds.push({ ours, hand });
      console.log(
        `  import ${ours.elapsedMs} ms, ${ours.peakMiB} MiB; by hand ${hand.elapsedMs} ms, ${hand.peakMiB} MiB`,
      );
    }
    const ratio = median(rounds.map(({ ours, hand }) => ours.elapsedMs / hand.elapsedMs));
    console.log(
      `import / by hand: ${ratio.toFixed(2)} (at most 1.5: ${ratio <= 1.5 ? 'yes' : 'NO'}); peak ${Math.max(...rounds.map(({ ours }) => ours.peakMiB))} MiB`,
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

if (values.part === undefined || values.root === undefined) await compare();
else {
  const startedAt = performance.now();
  await (values.part === 'imported' ? imported(values.root) : byHand(values.root));
  const elapsedMs = Math.round(performance.now() - startedAt);
  console.log(
    JSON.stringify({
      elapsedMs,
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    } satisfies Measured),
  );
}
