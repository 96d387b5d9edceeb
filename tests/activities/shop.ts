import {
  acceptedValues,
  between,
  castSelect,
  castable,
  check,
  completeness,
  contract,
  crawlFiles,
  customSql,
  dag,
  filesContract,
  freshness,
  ingest,
  matches,
  notNull,
  nullable,
  ownDate,
  quarantineColumns,
  recordsContract,
  relationships,
  rowCount,
  sqlModel,
  typedContract,
  unique,
  upperText,
  window,
} from '../../activities/index.ts';
import type { Rule } from '../../activities/index.ts';
import type { DriftMode } from '../../activities/crawl-files.ts';

export const models = (path: string): URL => new URL(`models/${path}`, import.meta.url);

/** Every kind of rule once, under names that say what breaks it. */
export const allRules: readonly Rule[] = [
  notNull('id', { name: 'no_id' }),
  castable('price', { name: 'no_price' }),
  between('price', { min: '0', exclusiveMin: true, max: '100' }, { name: 'price_out_of_bounds' }),
  matches('id', '[a-z][0-9]+', { name: 'odd_id' }),
  acceptedValues('shop', ['NORTH', 'SOUTH'], { name: 'unknown_shop' }),
  relationships('id', 'known', 'id', { name: 'id_not_known', severity: 'warn' }),
  check('price_is_odd', `t.price % 2 = 0`, { severity: 'warn' }),
];

export const datasetRules: readonly Rule[] = [
  unique('id', { name: 'id_twice', severity: 'warn' }),
  rowCount({ min: 1, max: 1_000 }),
  completeness('shop', 0.5),
  freshness('at', 48, { severity: 'warn' }),
  customSql('too_many_accepted', 'select case when count(*) > 1000 then 1 else 0 end from accepted'),
];

export function sales(rules: readonly Rule[] = []) {
  return contract({
    table: 'shop.sales',
    zone: 'raw',
    description: 'Sales of a day.',
    partitionBy: ['day'],
    columns: { day: 'date', id: 'text', price: 'decimal(9,2)', at: 'timestamp', shop: upperText() },
    rules,
  });
}

export const files = filesContract(sales(), 'shop.raw_files');
export const raw = recordsContract(sales(), 'shop.raw');
export const typed = typedContract(sales(), 'shop.typed');
export const accepted = contract({
  table: 'shop.accepted',
  zone: 'silver',
  description: 'Sales in good standing.',
  partitionBy: ['day'],
  columns: { day: 'date', id: 'text', price: 'decimal(9,2)', shop: nullable('text') },
});
export const quarantine = contract({
  table: 'shop.quarantine',
  zone: 'audit',
  description: 'Sales that are not.',
  partitionBy: ['day'],
  columns: { day: 'date', ...quarantineColumns },
});
export const summaries = contract({
  table: 'shop.quality',
  zone: 'audit',
  description: 'Summaries.',
  partitionBy: ['day'],
  columns: { day: 'date', summary: 'text' },
});

export const takeIn = ingest({
  source: sales(),
  files,
  records: raw,
  keep: 'raw/sales',
  landing: 'landing/sales',
  hint: 'Put one there for <date>.',
});

export const toTyped = sqlModel({
  folder: models('typed/'),
  reads: { raw: { of: raw, at: ownDate('day') } },
  views: [{ name: 'cast_rows', sql: castSelect(sales(), 'raw') }],
  writes: { typed: { to: typed, owns: ownDate('day'), evenIfEmpty: true } },
  account: { scope: 'shop.typed', read: 'raw', by: 'day', parts: { typed: 'typed' } },
});

/** Files to raw, and a crawl that judges them. */
export function intake(drift: DriftMode = 'evolve') {
  return dag(
    'intake',
    { schedule: '@daily', params: { input: { type: 'string', required: false } }, defaults: { retries: 0 } },
    ({ task, params }) => {
      const taken = task('ingest', takeIn, { input: params.input });
      task('crawl', crawlFiles({ source: sales(), files, records: raw, drift }), taken);
    },
  );
}

/** Files to accepted and quarantined rows. */
export function checking(rules: readonly Rule[]) {
  const source = sales(rules);
  const check = sqlModel({
    folder: models('checked/'),
    reads: { typed: { of: typed, at: { rows: window('day', 0, 0) } } },
    inline: [
      {
        name: 'known',
        columns: [{ name: 'id', type: 'text', nullable: false }],
        rows: [['a1'], ['a2'], ['a3']],
      },
    ],
    steps: ['dropped'],
    checks: {
      contract: source,
      rows: 'rows',
      by: 'day',
      dropped: 'dropped',
      fates: ['repeated'],
      accepts: accepted,
      counts: { dear: 't.price > 50' },
    },
    writes: {
      accepted: { to: accepted, owns: window('day', 0, 0) },
      quarantine: { to: quarantine, owns: window('day', 0, 0) },
    },
    summaries: { to: summaries, owns: window('day', 0, 0) },
    account: {
      scope: 'shop',
      read: 'rows',
      by: 'day',
      parts: { accepted: 'accepted', quarantine: 'quarantine' },
    },
  });
  return dag('checking', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
    const taken = task('ingest', takeIn, { input: null });
    const made = task('type', toTyped, { raw: taken.output.records });
    task('check', check, { typed: made.output.typed });
  });
}

/** A CSV of sales. */
export function csv(...rows: readonly string[]): string {
  return ['id,price,at,shop', ...rows, ''].join('\n');
}
