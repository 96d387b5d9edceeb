import {
  castSelect,
  crawlFiles,
  crawlTable,
  csvRelation,
  ingest,
  load,
  notify,
  ownDate,
  sqlModel,
  warehouseTable,
  window,
} from '../../activities/index.ts';
import { days } from '../days.ts';
import {
  audit,
  bronze,
  curated,
  dailyTotals,
  merchantKpis,
  qualitySummary,
  raw,
  rawFiles,
  transactions,
} from './contract.ts';

const here = (path: string): URL => new URL(path, import.meta.url);

/** A record competes with copies up to a week away, so a day's file can change the silver of a week on either side … */
const week = { own: window('ingest_date', -7, 7), neighbours: window('ingest_date', -14, 14) };
/** … and the gold of every date its rows, and theirs, may lie on. */
const touched = [-14, 7] as const;

export const ingestFiles = ingest({
  source: transactions,
  files: rawFiles,
  records: raw,
  keep: 'raw/transactions',
  landing: 'landing/payments',
  hint: 'Make one with `ingot generate payments --date <date>`, or name one with --input.',
});

export const crawlRaw = crawlFiles({ source: transactions, files: rawFiles, records: raw });
export const crawlBronze = crawlTable(bronze);
export const crawlSilver = crawlTable(curated);

export const bronzeTable = sqlModel({
  folder: here('bronze/'),
  reads: { raw: { of: raw, at: ownDate('ingest_date') } },
  views: [{ name: 'typed', sql: castSelect(transactions, 'raw') }],
  writes: { bronze: { to: bronze, owns: ownDate('ingest_date'), evenIfEmpty: true } },
  account: { scope: 'payments.bronze', read: 'raw', by: 'ingest_date', parts: { bronze: 'bronze' } },
});

export const silverTables = sqlModel({
  folder: here('silver/'),
  reads: { bronze: { of: bronze, at: week } },
  inline: [
    csvRelation('rates', here('rates.csv'), { currency: 'text', valid_from: 'date', rate: 'decimal(9,6)' }),
    days({ column: 'ingest_date', around: [-14, 14], own: [-7, 7] }),
  ],
  views: ['rates_in_force'],
  steps: ['repeated', 'ranked', 'dropped'],
  checks: {
    contract: transactions,
    rows: 'own',
    by: 'ingest_date',
    dropped: 'dropped',
    fates: ['duplicates', 'superseded'],
    accepts: curated,
    counts: { late: 'cast(t.txn_ts as date) < t.ingest_date' },
  },
  writes: { curated: { to: curated, owns: week.own }, audit: { to: audit, owns: week.own } },
  summaries: { to: qualitySummary, owns: week.own },
  slices: { days: [-7, 7], date: (partition) => partition['ingest_date'] ?? null, reach: [-7, 7] },
  account: {
    scope: 'payments',
    read: 'own',
    by: 'ingest_date',
    parts: { curated: 'curated', audit: 'audit' },
  },
});

export const goldTables = sqlModel({
  folder: here('gold/'),
  reads: { curated: { of: curated, at: window('txn_date', ...touched) } },
  steps: ['merchants', 'users'],
  slices: { days: touched, date: (partition) => partition['txn_date'] ?? null, reach: [0, 0] },
  writes: {
    daily_totals: { to: dailyTotals, owns: window('txn_date', ...touched) },
    merchant_kpis: { to: merchantKpis, owns: window('txn_date', ...touched) },
  },
});

export const warehouse = load({
  from: merchantKpis,
  connection: 'warehouse',
  days: touched,
  partition: (txn_date) => ({ txn_date }),
  sliceColumn: 'txn_date',
  target: warehouseTable({
    name: 'merchant_kpis',
    columns: merchantKpis.declared,
    primaryKey: ['txn_date', 'merchant_id'],
    indexes: ['(merchant_id, txn_date)'],
  }),
});

export const tellFailure = notify({
  topic: 'MiniPaymentsAlerts',
  severity: 'error',
  title: 'payments {date} failed',
  message: 'A task of the run failed.',
});
export const tellSuccess = notify({
  topic: 'payments',
  severity: 'info',
  title: 'payments {date} published',
  message: 'All tables are up to date.',
});
