import {
  acceptedValues,
  castable,
  check,
  contract,
  filesContract,
  matches,
  notNull,
  nullable,
  quarantineColumns,
  recordsContract,
  typedContract,
  upperText,
} from '../../activities/index.ts';

export const currencies = ['AUD', 'BRL', 'CAD', 'EUR', 'GBP', 'INR', 'JPY', 'SGD', 'USD'];
const statuses = ['APPROVED', 'CHARGEBACK', 'DECLINED', 'PENDING', 'REFUNDED'];
const countries = [
  'AE AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IS IT JP KE KR LT LU LV MA MT MX MY NG NL NO NZ',
  'PE PH PK PL PT RO RS RU SA SE SG SI SK TH TR TW UA US UY VN ZA',
].flatMap((line) => line.split(' '));

const number = '-?[0-9]+([.][0-9]+)?';
const isNumber = `regexp_matches(t.amount_text, '^${number}\\z')`;

/** One record of the daily file. A row that breaks a rule goes to `payments.audit` with every reason, except for warnings. */
export const transactions = contract({
  table: 'payments.transactions',
  zone: 'raw',
  description:
    'Card payments as the processor delivers them: one CSV per day, late and repeated records included.',
  partitionBy: ['ingest_date'],
  columns: {
    ingest_date: 'date',
    txn_id: 'text',
    merchant_id: 'text',
    user_id: 'text',
    amount: 'decimal(18,2)',
    currency: upperText(),
    status: upperText(),
    txn_ts: 'timestamp',
    country: upperText(),
  },
  rules: [
    notNull('txn_id', { name: 'missing_txn_id' }),
    notNull('merchant_id', { name: 'missing_merchant_id' }),
    notNull('user_id', { name: 'missing_user_id' }),
    matches('amount', number, { name: 'amount_not_a_number' }),
    check('amount_too_precise', `not regexp_matches(t.amount_text, '^-?[0-9]+[.][0-9]{3,}\\z')`, {
      description: 'the amount has at most two decimals',
    }),
    check('amount_not_positive', `not ${isNumber} or regexp_matches(t.amount_text, '^[0-9.]*[1-9]')`, {
      description: 'the amount is above zero',
    }),
    // The text decides where the value has more digits than the column holds.
    check(
      'amount_out_of_range',
      `not ${isNumber} or t.amount_text like '-%' or coalesce(t.amount <= 1000000, not regexp_matches(t.amount_text, '^0*([1-9][0-9]{7,}|[1-9][0-9]{6})([.]|\\z)') or regexp_matches(t.amount_text, '^0*1000000([.]0*)?\\z'))`,
      { description: 'the amount is at most 1,000,000' },
    ),
    acceptedValues('currency', currencies, { name: 'unknown_currency' }),
    acceptedValues('status', statuses, { name: 'unknown_status' }),
    castable('txn_ts', { name: 'timestamp_malformed' }),
    check(
      'timestamp_out_of_range',
      `t.txn_ts >= cast(t.ingest_date as timestamp) - interval '7' day and t.txn_ts < cast(t.ingest_date as timestamp) + interval '1' day`,
      { description: '`txn_ts` lies in the seven days before the ingest date or on it' },
    ),
    acceptedValues('country', countries, { name: 'unknown_country', severity: 'warn' }),
  ],
});

export const rawFiles = filesContract(transactions, 'payments.raw_files');
export const raw = recordsContract(transactions, 'payments.raw');
export const bronze = typedContract(transactions, 'payments.bronze');

const slice = { ingest_date: 'date', txn_date: 'date' } as const;

export const curated = contract({
  table: 'payments.curated',
  zone: 'silver',
  description: 'Payments in good standing, one row per `txn_id` (within a week of ingest dates).',
  partitionBy: ['ingest_date', 'txn_date'],
  columns: {
    ...slice,
    txn_id: 'text',
    merchant_id: 'text',
    user_id: 'text',
    amount: 'decimal(18,2)',
    currency: 'text',
    status: 'text',
    txn_ts: 'timestamp',
    country: 'text',
    amount_usd: {
      type: 'decimal(18,2)',
      description: 'amount × the rate valid on txn_date, rounded half away from zero to cents',
    },
    txn_hour: 'int',
    is_refund: { type: 'boolean', description: 'status is REFUNDED or CHARGEBACK' },
    source_file: 'text',
    line_number: 'bigint',
  },
  key: ['ingest_date', 'txn_id'],
});

export const audit = contract({
  table: 'payments.audit',
  zone: 'audit',
  description: 'Quarantined records: with all reasons and the text they had.',
  partitionBy: ['ingest_date'],
  columns: { ingest_date: 'date', ...quarantineColumns },
});

export const qualitySummary = contract({
  table: 'payments.quality_summary',
  zone: 'audit',
  description:
    'One JSON object per ingest date: rows per zone, duplicates, late rows, null rates, passed and failed rows per rule, the verdict.',
  partitionBy: ['ingest_date'],
  columns: { ingest_date: 'date', summary: 'text' },
  key: ['ingest_date'],
});

export const dailyTotals = contract({
  table: 'payments.daily_totals',
  zone: 'gold',
  description: 'Payments of a date per currency and status, amounts in that currency.',
  partitionBy: ['txn_date'],
  columns: {
    txn_date: 'date',
    currency: 'text',
    status: 'text',
    count: 'bigint',
    sum: 'decimal(18,2)',
    avg: 'decimal(18,6)',
  },
  key: ['txn_date', 'currency', 'status'],
});

export const merchantKpis = contract({
  table: 'payments.merchant_kpis',
  zone: 'gold',
  description: 'Key figures of a merchant per date, amounts in USD. A rate over zero payments is null.',
  partitionBy: ['txn_date'],
  columns: {
    txn_date: 'date',
    merchant_id: 'text',
    gross: { type: 'decimal(18,2)', description: 'sum of APPROVED' },
    net: { type: 'decimal(18,2)', description: 'gross less refunds and chargebacks' },
    refund_rate: nullable('decimal(18,6)', 'refunds and chargebacks ÷ approved'),
    decline_rate: nullable('decimal(18,6)', 'declined ÷ all'),
    p50: { type: 'decimal(18,2)', description: 'nearest rank, over payments of every status' },
    p95: 'decimal(18,2)',
    active_users: 'bigint',
  },
  key: ['txn_date', 'merchant_id'],
});
