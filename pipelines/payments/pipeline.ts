import {
  castSelect,
  crawlFiles,
  crawlTable,
  csvRelation,
  dag,
  ingest,
  load,
  notify,
  ownDate,
  sqlModel,
  warehouseTable,
  window,
} from '../../activities/index.ts';
import { days } from '../days.ts';
import * as tables from './contract.ts';

const here = (path: string): URL => new URL(path, import.meta.url);
const { transactions, rawFiles, raw, bronze, curated, audit, qualitySummary, dailyTotals, merchantKpis } =
  tables;

/** A record competes with copies up to a week away, so a day's file can change the silver of a week on either side … */
const week = { own: window('ingest_date', -7, 7), neighbours: window('ingest_date', -14, 14) };
/** … and the gold of every date its rows, and theirs, may lie on. */
const touched = [-14, 7] as const;

const takeIn = ingest({
  source: transactions,
  files: rawFiles,
  records: raw,
  keep: 'raw/transactions',
  landing: 'landing/payments',
  hint: 'Make one with `ingot generate payments --date <date>`, or name one with --input.',
});

const toBronze = sqlModel({
  folder: here('bronze/'),
  reads: { raw: { of: raw, at: ownDate('ingest_date') } },
  views: [{ name: 'typed', sql: castSelect(transactions, 'raw') }],
  writes: { bronze: { to: bronze, owns: ownDate('ingest_date'), evenIfEmpty: true } },
  account: { scope: 'payments.bronze', read: 'raw', by: 'ingest_date', parts: { bronze: 'bronze' } },
});

const toSilver = sqlModel({
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
  account: {
    scope: 'payments',
    read: 'own',
    by: 'ingest_date',
    parts: { curated: 'curated', audit: 'audit' },
  },
});

const toGold = sqlModel({
  folder: here('gold/'),
  reads: { curated: { of: curated, at: window('txn_date', ...touched) } },
  steps: ['merchants', 'users'],
  writes: {
    daily_totals: { to: dailyTotals, owns: window('txn_date', ...touched) },
    merchant_kpis: { to: merchantKpis, owns: window('txn_date', ...touched) },
  },
});

const toWarehouse = load({
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

const alert = notify({
  topic: 'MiniPaymentsAlerts',
  severity: 'error',
  title: 'payments {date} failed',
  message: 'A task of the run failed.',
});
const done = notify({
  topic: 'payments',
  severity: 'info',
  title: 'payments {date} published',
  message: 'All tables are up to date.',
});

export const payments = dag(
  'payments',
  {
    description: 'Daily card payments: raw files to merchant key figures in Postgres.',
    schedule: '@daily',
    startDate: '2026-01-01',
    tags: ['lake'],
    params: {
      input: {
        type: 'string',
        required: false,
        description: 'Object key of a CSV file to take in place of the landing folder’s.',
      },
    },
  },
  ({ task, params }) => {
    const taken = task('ingest', takeIn, { input: params.input });
    const crawledRaw = task(
      'crawl_raw',
      crawlFiles({ source: transactions, files: rawFiles, records: raw }),
      taken,
    );
    const typed = task('bronze', toBronze, { raw: crawledRaw.output.records });
    const crawledBronze = task('crawl_bronze', crawlTable(bronze), typed.output.bronze);
    const validated = task('silver', toSilver, { bronze: crawledBronze });
    const crawledSilver = task('crawl_silver', crawlTable(curated), validated.output.curated);
    const aggregated = task('gold', toGold, { curated: crawledSilver });
    const loaded = task('load', toWarehouse, aggregated.output.merchant_kpis);
    task('notify', done, { about: loaded });
    task('alert', alert, {}, { triggerRule: 'one_failed' }).after(
      taken,
      crawledRaw,
      typed,
      crawledBronze,
      validated,
      crawledSilver,
      aggregated,
      loaded,
    );
  },
);
