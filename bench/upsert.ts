import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { openPostgresWarehouse } from '../engines/postgres/warehouse.ts';
import type { Warehouse, WarehouseTable } from '../ports/warehouse.ts';
import { openPostgresServer } from '../workers/stack/postgres-server.ts';

/** Upsert of one day's rows: the warehouse beside COPY and INSERT … ON CONFLICT written by hand, in turns on one server. */

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
});
const rows = Number(values.rows);
const rounds = Number(values.rounds);
const day = '2026-01-01';
const columns = ['merchant', 'day', 'gross', 'net', 'refund_rate', 'active_users'];

function target(name: string): WarehouseTable {
  return {
    name,
    columns: [
      { name: 'merchant', type: 'text', nullable: false },
      { name: 'day', type: 'date', nullable: false },
      { name: 'gross', type: 'decimal(18,2)', nullable: false },
      { name: 'net', type: 'decimal(18,2)', nullable: false },
      { name: 'refund_rate', type: 'decimal(18,6)', nullable: true },
      { name: 'active_users', type: 'bigint', nullable: false },
    ],
    primaryKey: ['merchant', 'day'],
    indexes: [],
  };
}

/** Every row in the first version; in the second a half of them differs. */
function csv(version: number): Buffer[] {
  const chunks: Buffer[] = [];
  let text = '';
  for (let row = 0; row < rows; row += 1) {
    const amount = ((row * 7919) % 100_000) + (row % 2) * version;
    text += `M${String((row * 48_271) % 2_147_483_647).padStart(10, '0')},${day},${amount}.25,${amount}.00,0.012500,${row % 977}\n`;
    if (text.length < 256 * 1024) continue;
    chunks.push(Buffer.from(text));
    text = '';
  }
  chunks.push(Buffer.from(text));
  return chunks;
}

async function byHand(client: pg.Client, chunks: readonly Buffer[]): Promise<void> {
  const list = columns.join(', ');
  const set = columns.slice(2).map((column) => `${column} = excluded.${column}`);
  await client.query('begin');
  await client.query('create temporary table incoming (like by_hand) on commit drop');
  await pipeline(
    Readable.from(chunks),
    client.query(copyFrom(`copy incoming (${list}) from stdin (format csv)`)),
  );
  await client.query(
    `insert into by_hand (${list}) select ${list} from incoming
     on conflict (merchant, day) do update set ${set.join(', ')}`,
  );
  await client.query('commit');
}

/** The same through a table of contributions that is totalled into the target. */
async function byHandThroughStaging(client: pg.Client, chunks: readonly Buffer[]): Promise<void> {
  const list = columns.join(', ');
  await client.query('begin');
  await client.query('delete from staging_by_hand where day = $1', [day]);
  await pipeline(
    Readable.from(chunks),
    client.query(copyFrom(`copy staging_by_hand (${list}) from stdin (format csv)`)),
  );
  await client.query(
    `insert into total_by_hand (merchant, gross) select merchant, sum(gross) from staging_by_hand group by merchant
     on conflict (merchant) do update set gross = excluded.gross`,
  );
  await client.query('commit');
}

let publication = 0;

async function byWarehouse(warehouse: Warehouse, chunks: readonly Buffer[]): Promise<void> {
  publication += 1;
  await warehouse.replaceSlice({
    target: target('by_warehouse'),
    staging: null,
    slice: { column: 'day', value: day },
    publication,
    columns,
    rows: Readable.from(chunks),
  });
}

async function byWarehouseThroughStaging(warehouse: Warehouse, chunks: readonly Buffer[]): Promise<void> {
  publication += 1;
  const { columns: all } = target('staging_by_warehouse');
  await warehouse.replaceSlice({
    target: {
      name: 'total_by_warehouse',
      columns: all.filter((column) => column.name === 'merchant' || column.name === 'gross'),
      primaryKey: ['merchant'],
      indexes: [],
    },
    staging: {
      table: target('staging_by_warehouse'),
      recompute:
        'select merchant, sum(gross) as gross from staging join affected using (merchant) group by merchant',
    },
    slice: { column: 'day', value: day },
    publication,
    columns,
    rows: Readable.from(chunks),
  });
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function compare(client: pg.Client, warehouse: Warehouse): Promise<void> {
  const versions = [csv(0), csv(1)];
  const times: Record<string, { hand: number[]; ours: number[] }> = {
    'into an empty table': { hand: [], ours: [] },
    'half of the rows changed': { hand: [], ours: [] },
    'through staging, into an empty table': { hand: [], ours: [] },
    'through staging, half of the rows changed': { hand: [], ours: [] },
  };
  for (let round = 0; round < rounds; round += 1) {
    await client.query(`
      drop table if exists by_hand, by_warehouse, staging_by_hand, staging_by_warehouse, total_by_hand, total_by_warehouse;
      create table by_hand (merchant text not null, day date not null, gross numeric(18,2) not null, net numeric(18,2) not null,
        refund_rate numeric(18,6), active_users bigint not null, primary key (merchant, day));
      create table staging_by_hand (like by_hand including indexes);
      create table total_by_hand (merchant text primary key, gross numeric(18,2) not null)`);
    const works = [
      [byHand, byWarehouse],
      [byHandThroughStaging, byWarehouseThroughStaging],
    ] as const;
    for (const [place, { hand, ours }] of Object.values(times).entries()) {
      const [handWork, ourWork] = works[place < 2 ? 0 : 1];
      const chunks = versions[place % 2]!;
      const turns = [
        async () => hand.push(await seconds(() => handWork(client, chunks))),
        async () => ours.push(await seconds(() => ourWork(warehouse, chunks))),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
        await client.query('checkpoint');
        await turn();
      }
    }
  }
  for (const [name, { hand, ours }] of Object.entries(times)) {
    const ratio = median(ours) / median(hand);
    console.log(
      `${rows.toLocaleString('en')} rows ${name}: by hand ${median(hand).toFixed(2)} s, warehouse ${median(ours).toFixed(2)} s, ratio ${ratio.toFixed(2)}`,
    );
  }
}

const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
await chmod(folder, 0o755);
const server = await openPostgresServer({ folder });
try {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  const warehouse = await openPostgresWarehouse(server.url('postgres'));
  await compare(client, warehouse);
  await warehouse.close();
  await client.end();
} finally {
  await server.close();
  await rm(folder, { recursive: true, force: true });
}
