import type { LoadRequest, Warehouse, WarehouseTable } from '../../../ports/warehouse.ts';

/** A warehouse with nothing in it. */
export interface WarehouseFixture extends AsyncDisposable {
  readonly warehouse: Warehouse;
  /** The same warehouse as another process would open it. */
  another(): Promise<Warehouse>;
  /** Cuts every connection to the database, in the middle of whatever they do. */
  cut(): Promise<void>;
  /** Runs any statement, past the port. */
  sql(statement: string): Promise<void>;
  /** Sessions that are in the middle of something. */
  busySessions(): Promise<number>;
}

export type OpenWarehouse = () => Promise<WarehouseFixture>;

export const kpis: WarehouseTable = {
  name: 'merchant_kpis',
  columns: [
    { name: 'merchant', type: 'text', nullable: false },
    { name: 'day', type: 'date', nullable: false },
    { name: 'gross', type: 'decimal(38,18)', nullable: true },
    { name: 'note', type: 'text', nullable: true },
  ],
  primaryKey: ['merchant', 'day'],
  indexes: ['(gross desc)'],
};

export const contributions: WarehouseTable = {
  name: 'mart.summary_staging',
  columns: [
    { name: 'customer', type: 'int', nullable: false },
    { name: 'load_date', type: 'date', nullable: false },
    { name: 'spent', type: 'decimal(18,2)', nullable: false },
  ],
  primaryKey: ['customer', 'load_date'],
  indexes: [],
};

export const summary: WarehouseTable = {
  name: 'mart.summary',
  columns: [
    { name: 'customer', type: 'int', nullable: false },
    { name: 'spent', type: 'decimal(18,2)', nullable: false },
    { name: 'days', type: 'bigint', nullable: false },
  ],
  primaryKey: ['customer'],
  indexes: ['(spent desc)'],
};

export const recompute = `select customer, sum(spent) as spent, count(*) as days
  from staging join affected using (customer) group by customer; -- totals over all days`;

function field(value: string | null): string {
  if (value === null) return '';
  return value === '' || /[",\r\n\\]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

export type Row = readonly (string | null)[];

/** PostgreSQL's CSV copy format. */
export async function* csv(rows: Iterable<Row>): AsyncGenerator<Uint8Array> {
  for (const row of rows) yield Buffer.from(`${row.map(field).join(',')}\n`);
}

export function kpiLoad(
  day: string,
  publication: number,
  rows: Iterable<Row> | AsyncIterable<Uint8Array>,
  overrides: Partial<LoadRequest> = {},
): LoadRequest {
  return {
    target: kpis,
    staging: null,
    slice: { column: 'day', value: day },
    publication,
    columns: ['merchant', 'day', 'gross', 'note'],
    rows: Symbol.asyncIterator in rows ? rows : csv(rows),
    ...overrides,
  };
}

/** `spent` by customer on one day. */
export function summaryLoad(
  day: string,
  publication: number,
  spent: Readonly<Record<string, string>>,
  overrides: Partial<LoadRequest> = {},
): LoadRequest {
  return {
    target: summary,
    staging: { table: contributions, recompute },
    slice: { column: 'load_date', value: day },
    publication,
    columns: ['customer', 'load_date', 'spent'],
    rows: csv(Object.entries(spent).map(([customer, amount]) => [customer, day, amount])),
    ...overrides,
  };
}

export async function rowsOf(warehouse: Warehouse, sql: string): Promise<readonly Row[]> {
  return (await warehouse.query(sql)).rows;
}

export const kpiRows = (warehouse: Warehouse): Promise<readonly Row[]> =>
  rowsOf(warehouse, 'select merchant, day, gross, note from merchant_kpis order by merchant, day');

export const summaryRows = (warehouse: Warehouse): Promise<readonly Row[]> =>
  rowsOf(warehouse, 'select customer, spent, days from mart.summary order by customer');
