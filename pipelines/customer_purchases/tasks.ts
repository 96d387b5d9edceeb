import {
  castSelect,
  crawlFiles,
  crawlTable,
  csvRelation,
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
  spellings as spellingsTable,
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

export const ingestFiles = ingest({
  source: purchases,
  files: rawFiles,
  records: raw,
  keep: 'raw/customer_purchases',
  landing: 'landing/customer_purchases',
  hint: 'Make one with `ingot generate customer_purchases --date <date>`, or name one with --input.',
});

export const crawlRaw = crawlFiles({ source: purchases, files: rawFiles, records: raw });
export const crawlBronze = crawlTable(bronze);

export const spellings = lookup({
  folder: here('lookup/'),
  texts: 'texts',
  views: [typed],
  from: raw,
  as: 'raw',
  at: own,
  to: spellingsTable,
  owns: own,
  version: '1',
  columns: { name: nameOf, email: emailOf },
});

export const bronzeTable = sqlModel({
  folder: here('bronze/'),
  reads: { raw: { of: raw, at: own }, spellings: { of: spellingsTable, at: own } },
  views: [typed],
  writes: { bronze: { to: bronze, owns: own, evenIfEmpty: true } },
  account: {
    scope: 'customer_purchases.bronze',
    read: 'raw',
    by: 'ingestion_date',
    parts: { bronze: 'bronze' },
  },
});

export const silverTables = sqlModel({
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
  slices: { days: weekAfter, date: ({ ingestion_date }) => ingestion_date ?? null, reach: [-7, 0] },
  account: {
    scope: 'customer_purchases',
    read: 'own',
    by: 'ingestion_date',
    parts: { curated: 'silver', audit: 'quarantine' },
  },
});

export const goldTable = sqlModel({
  folder: here('gold/'),
  reads: { silver: { of: silver, at: window('ingestion_date', ...weekAfter) } },
  writes: { customers: { to: customers, owns: eachDate(partition, ...weekAfter) } },
  slices: {
    days: weekAfter,
    date: ({ ingestion_date, year, month, day }) => ingestion_date ?? `${year}-${month}-${day}`,
    reach: [0, 0],
  },
});

export const warehouse = upsert({
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
export const tellSuccess = notify({ ...told, severity: 'info', title: 'customer_purchases {date} loaded' });
export const tellFailure = notify({ ...told, severity: 'error', title: 'customer_purchases {date} failed' });
