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
  warehouseTable,
} from '../../activities/index.ts';

const currencies = ['AUD', 'BRL', 'CAD', 'EUR', 'GBP', 'INR', 'JPY', 'SGD', 'USD'];
const number = '-?[0-9]+([.][0-9]+)?';
const isNumber = `regexp_matches(t.amount_text, '^${number}\\z')`;

/** One record of a delivered file. `first_name_clean` and the like are added in bronze. */
export const purchases = contract({
  table: 'customer_purchases.purchases',
  zone: 'raw',
  description: 'Purchases as the shops deliver them; a refund is a purchase of a negative amount.',
  partitionBy: ['ingestion_date'],
  columns: {
    ingestion_date: 'date',
    purchase_id: 'text',
    customer_id: 'int',
    first_name: 'text',
    last_name: 'text',
    email: 'text',
    purchased_at: 'timestamp',
    amount: 'decimal(18,2)',
    currency: upperText(),
  },
  rules: [
    notNull('purchase_id', { name: 'missing_purchase_id' }),
    check('customer_id_invalid', 't.customer_id is not null and t.customer_id >= 1', {
      description: '`customer_id` is a positive integer within 32 bits',
    }),
    check('missing_name', `t.first_name_clean <> '' or t.last_name_clean <> ''`, {
      description: 'first or last name is not empty',
    }),
    castable('purchased_at', { name: 'timestamp_malformed' }),
    check('timestamp_in_future', `t.purchased_at < cast(t.ingestion_date as timestamp) + interval '1' day`, {
      description: '`purchased_at` is before the end of the ingestion day',
    }),
    matches('amount', number, { name: 'amount_not_a_number' }),
    check('amount_too_precise', `not regexp_matches(t.amount_text, '^-?[0-9]+[.][0-9]{3,}\\z')`, {
      description: 'the amount has at most two decimals',
    }),
    check('amount_zero', `not ${isNumber} or regexp_matches(t.amount_text, '[1-9]')`, {
      description: 'the amount is not zero',
    }),
    // The text decides where the value has more digits than the column holds; a refund is measured by its size.
    check(
      'amount_out_of_range',
      `not ${isNumber} or coalesce(t.amount between -1000000 and 1000000, not regexp_matches(t.amount_text, '^-?0*([1-9][0-9]{7,}|[1-9][0-9]{6})([.]|\\z)') or regexp_matches(t.amount_text, '^-?0*1000000([.]0*)?\\z'))`,
      { description: 'the size of the amount is at most 1,000,000' },
    ),
    acceptedValues('currency', currencies, { name: 'unknown_currency' }),
    check('email_invalid', 't.email_clean is not null', {
      severity: 'warn',
      description: 'the e-mail is `something@something.something` without spaces; otherwise it becomes null',
    }),
  ],
});

export const rawFiles = filesContract(purchases, 'customer_purchases.raw_files');
export const raw = recordsContract(purchases, 'customer_purchases.raw');

export const spellings = contract({
  table: 'customer_purchases.spellings',
  zone: 'bronze',
  description:
    'How a day’s distinct names and foreign e-mail addresses are written: Unicode NFC, spaces, case.',
  partitionBy: ['ingestion_date'],
  columns: { ingestion_date: 'date', text: 'text', name: 'text', email: 'text' },
  key: ['ingestion_date', 'text'],
});

export const bronze = typedContract(purchases, 'customer_purchases.bronze', {
  first_name_clean: 'text',
  last_name_clean: 'text',
  email_clean: nullable('text'),
});

export const silver = contract({
  table: 'customer_purchases.silver',
  zone: 'silver',
  description:
    'Purchases in good standing, amounts in AUD; the first delivery of a `purchase_id` (within a week) stands.',
  partitionBy: ['ingestion_date'],
  columns: {
    ingestion_date: 'date',
    purchase_id: 'text',
    customer_id: 'int',
    first_name: 'text',
    last_name: 'text',
    full_name: 'text',
    email: nullable('text', 'lower-cased; null where it is none'),
    purchased_at: 'timestamp',
    purchase_date: 'date',
    amount: 'decimal(18,2)',
    currency: 'text',
    amount_aud: {
      type: 'decimal(18,2)',
      description: 'amount × the rate valid on purchase_date, rounded half away from zero to cents',
    },
    source_file: 'text',
    line_number: 'bigint',
  },
  key: ['ingestion_date', 'purchase_id'],
});

export const quarantine = contract({
  table: 'customer_purchases.quarantine',
  zone: 'audit',
  description: 'Quarantined records: with all reasons and the text they had.',
  partitionBy: ['ingestion_date'],
  columns: { ingestion_date: 'date', ...quarantineColumns },
});

export const qualitySummary = contract({
  table: 'customer_purchases.quality_summary',
  zone: 'audit',
  description:
    'One JSON object per ingestion date: rows per zone, duplicates, null rates, passed and failed rows per rule, the verdict.',
  partitionBy: ['ingestion_date'],
  columns: { ingestion_date: 'date', summary: 'text' },
  key: ['ingestion_date'],
});

const contribution = {
  customer_id: 'int',
  full_name: 'text',
  email: nullable('text'),
  total_spent_aud: 'decimal(18,2)',
  first_purchase_date: 'date',
  last_purchase_date: 'date',
} as const;

export const customers = contract({
  table: 'customer_purchases.customers',
  zone: 'gold',
  description: 'What each customer contributed on a day. The totals over all days are in the warehouse.',
  partitionBy: ['year', 'month', 'day'],
  columns: { year: 'text', month: 'text', day: 'text', ...contribution, last_purchased_at: 'timestamp' },
  key: ['year', 'month', 'day', 'customer_id'],
});

/** Contributions by customer and day. `last_purchased_at` decides whose name and e-mail the summary shows. */
export const staging = warehouseTable({
  name: 'customer_purchase_summary_staging',
  columns: { ...contribution, load_date: 'date', last_purchased_at: 'timestamp' },
  primaryKey: ['customer_id', 'load_date'],
  indexes: ['(load_date)'],
});

/** One row per customer: the total of all contributions. Loading adds `updated_at`. */
export const summary = warehouseTable({
  name: 'customer_purchase_summary',
  columns: contribution,
  primaryKey: ['customer_id'],
  indexes: ['(total_spent_aud desc)'],
});
