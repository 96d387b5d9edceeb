import {
  castSelect,
  crawlFiles,
  crawlTable,
  csvRelation,
  dag,
  eachDate,
  ingest,
  lookup,
  notify,
  ownDate,
  sqlModel,
  upsert,
  window,
} from '../../activities/index.ts';
import { days } from '../days.ts';
import {
  bronze,
  customers,
  purchases,
  qualitySummary,
  quarantine,
  raw,
  rawFiles,
  silver,
  spellings,
  staging,
  summary,
} from './contract.ts';
import { emailOf, nameOf } from './spelling.ts';

const here = (path: string): URL => new URL(path, import.meta.url);
const own = ownDate('ingestion_date');
const typed = { name: 'typed', sql: castSelect(purchases, 'raw') };

/** The first delivery stands for a week, so a day's file can change the silver of the week after it. */
const weekAfter = [0, 7] as const;
const partition = (date: string): { year: string; month: string; day: string } => {
  const [year, month, day] = date.split('-') as [string, string, string];
  return { year, month, day };
};

const takeIn = ingest({
  source: purchases,
  files: rawFiles,
  records: raw,
  keep: 'raw/customer_purchases',
  landing: 'landing/customer_purchases',
  hint: 'Make one with `ingot generate customer_purchases --date <date>`, or name one with --input.',
});

const spell = lookup({
  folder: here('lookup/'),
  texts: 'texts',
  views: [typed],
  from: raw,
  as: 'raw',
  at: own,
  to: spellings,
  owns: own,
  version: '1',
  columns: { name: nameOf, email: emailOf },
});

const toBronze = sqlModel({
  folder: here('bronze/'),
  reads: { raw: { of: raw, at: own }, spellings: { of: spellings, at: own } },
  views: [typed],
  writes: { bronze: { to: bronze, owns: own, evenIfEmpty: true } },
  account: {
    scope: 'customer_purchases.bronze',
    read: 'raw',
    by: 'ingestion_date',
    parts: { bronze: 'bronze' },
  },
});

const toSilver = sqlModel({
  folder: here('silver/'),
  reads: {
    bronze: {
      of: bronze,
      at: { own: window('ingestion_date', ...weekAfter), neighbours: window('ingestion_date', -7, 7) },
    },
  },
  inline: [
    csvRelation('rates', here('rates.csv'), { currency: 'text', valid_from: 'date', rate: 'decimal(9,6)' }),
    days({ column: 'ingestion_date', around: [-7, 7], own: weekAfter }),
  ],
  views: ['rates_in_force'],
  steps: ['repeated', 'dropped'],
  checks: {
    contract: purchases,
    rows: 'own',
    by: 'ingestion_date',
    dropped: 'dropped',
    fates: ['duplicates'],
    accepts: silver,
  },
  writes: {
    silver: { to: silver, owns: window('ingestion_date', ...weekAfter) },
    quarantine: { to: quarantine, owns: window('ingestion_date', ...weekAfter) },
  },
  summaries: { to: qualitySummary, owns: window('ingestion_date', ...weekAfter) },
  account: {
    scope: 'customer_purchases',
    read: 'own',
    by: 'ingestion_date',
    parts: { curated: 'silver', audit: 'quarantine' },
  },
});

const toGold = sqlModel({
  folder: here('gold/'),
  reads: { silver: { of: silver, at: window('ingestion_date', ...weekAfter) } },
  writes: { customers: { to: customers, owns: eachDate(partition, ...weekAfter) } },
});

const toWarehouse = upsert({
  from: customers,
  connection: 'warehouse',
  days: weekAfter,
  partition,
  sliceColumn: 'load_date',
  staging,
  target: summary,
  folder: here('warehouse/'),
  recompute: 'summary',
  columns: { load_date: `cast(concat(year, '-', month, '-', day) as date)` },
});

const told = { topic: 'customer_purchases', message: 'See the run and its arguments below.' };
const success = notify({ ...told, severity: 'info', title: 'customer_purchases {date} loaded' });
const failure = notify({ ...told, severity: 'error', title: 'customer_purchases {date} failed' });

export const customerPurchases = dag(
  'customer_purchases',
  {
    description: 'Purchases of all shops, from files to one row per customer in Postgres.',
    schedule: '@daily',
    startDate: '2026-01-01',
    tags: ['lake', 'warehouse'],
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
      crawlFiles({ source: purchases, files: rawFiles, records: raw }),
      taken,
    );
    const spelled = task('spell', spell, crawledRaw.output.records);
    const cast = task('bronze', toBronze, { raw: crawledRaw.output.records, spellings: spelled });
    const crawledBronze = task('crawl_bronze', crawlTable(bronze), cast.output.bronze);
    const validated = task('silver', toSilver, { bronze: crawledBronze });
    const aggregated = task('gold', toGold, { silver: validated.output.silver });
    const upserted = task('upsert', toWarehouse, aggregated.output.customers);
    task('notify_success', success, { about: upserted });
    const all = [taken, crawledRaw, spelled, cast, crawledBronze, validated, aggregated, upserted];
    task('notify_failure', failure, {}, { triggerRule: 'one_failed' }).after(...all);
  },
);
