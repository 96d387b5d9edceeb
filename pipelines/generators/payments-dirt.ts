import { csvLine } from './csv-line.ts';
import type { Blemish, Echo, Repeat, Row } from './source.ts';
import { dateText, stamp } from './timestamps.ts';

const [txnId, merchant, user, amount, currency, status, instant, country] = [0, 1, 2, 3, 4, 5, 6, 7];
const daySeconds = 86_400;

/** A blemish that replaces one field by one of some texts. */
function oneOf(name: string, field: number, texts: readonly string[], reasons: readonly string[]): Blemish {
  return { name, reasons, edit: ({ fields }, random) => void (fields[field] = random.pick(texts)) };
}

export const paymentBlemishes: readonly Blemish[] = [
  oneOf(
    'amount_text',
    amount,
    ['free', '1e3', 'NaN', '1,234.50', '$12.00', '.50', '5.', '+7.00', '١٢.٥٠', '0x1F', '--4.00', '12 50'],
    ['amount_not_a_number'],
  ),
  oneOf('amount_empty', amount, ['', '   '], ['amount_not_a_number']),
  oneOf('amount_zero', amount, ['0', '0.00', '-0', '000'], ['amount_not_positive']),
  oneOf('amount_negative', amount, ['-1', '-19.99', '-1000000.01'], ['amount_not_positive']),
  oneOf('amount_too_precise', amount, ['10.005', '3.1415926535', '7.000'], ['amount_too_precise']),
  oneOf(
    'amount_out_of_range',
    amount,
    ['1000000.01', '25000000', '99999999999999999999999.99'],
    ['amount_out_of_range'],
  ),
  oneOf('amount_largest', amount, ['1000000', '1000000.00', '0.01', '007.50'], []),
  oneOf(
    'amount_minus_and_precise',
    amount,
    ['-0.001', '-12.345'],
    ['amount_not_positive', 'amount_too_precise'],
  ),
  oneOf('currency_unknown', currency, ['XXX', 'EURO', 'US$', 'CHF', ''], ['unknown_currency']),
  oneOf('currency_untidy', currency, ['usd', ' eur ', 'Gbp', 'jpy '], []),
  oneOf('status_unknown', status, ['SETTLED', 'UNKNOWN', 'APPROVED!', ''], ['unknown_status']),
  oneOf('status_untidy', status, ['approved', ' Declined', 'refunded  '], []),
  { name: 'missing_txn_id', reasons: ['missing_txn_id'], keyed: false, edit: blank(txnId) },
  { name: 'missing_merchant_id', reasons: ['missing_merchant_id'], edit: blank(merchant) },
  { name: 'missing_user_id', reasons: ['missing_user_id'], edit: blank(user) },
  oneOf('country_unknown', country, ['ZZ', 'Narnia', '', '??'], []),
  {
    name: 'padded',
    reasons: [],
    edit: ({ fields }) => fields.forEach((text, at) => (fields[at] = `  ${text} `)),
  },
  {
    name: 'timestamp_malformed',
    reasons: ['timestamp_malformed'],
    edit: ({ fields }, random, day) => void (fields[instant] = random.pick(malformedStamps(dateText(day)))),
  },
  {
    name: 'timestamp_too_old',
    reasons: ['timestamp_out_of_range'],
    edit: (row, random, day) =>
      moveTo(row, random.pick([(day - 7) * daySeconds - 1, (day - 40) * daySeconds])),
  },
  {
    name: 'timestamp_in_future',
    reasons: ['timestamp_out_of_range'],
    edit: (row, random, day) => moveTo(row, random.pick([(day + 1) * daySeconds, (day + 500) * daySeconds])),
  },
  {
    name: 'timestamp_at_the_edge',
    reasons: [],
    edit: (row, random, day) =>
      moveTo(row, random.pick([(day - 7) * daySeconds, (day + 1) * daySeconds - 1])),
  },
  { name: 'late', reasons: [], edit: (row) => moveTo(row, row.seconds - daySeconds) },
  { name: 'very_late', reasons: [], edit: (row) => moveTo(row, row.seconds - 6 * daySeconds) },
  {
    name: 'several_reasons',
    reasons: ['amount_not_a_number', 'missing_user_id', 'timestamp_malformed', 'unknown_currency'],
    edit: ({ fields }) => {
      fields[amount] = 'n/a';
      fields[user] = '';
      fields[instant] = 'yesterday';
      fields[currency] = '???';
    },
  },
  {
    name: 'too_few_fields',
    reasons: ['malformed_row'],
    keyed: false,
    edit: (row, random) => void (row.line = csvLine(row.fields.slice(0, 1 + random.below(7)))),
  },
  {
    name: 'too_many_fields',
    reasons: ['malformed_row'],
    keyed: false,
    edit: (row, random) =>
      void (row.line = csvLine([...row.fields, ...random.pick([[''], ['extra'], ['a', 'b, c', '"d"']])])),
  },
  {
    name: 'quoted_newline',
    reasons: [],
    edit: ({ fields }, random) =>
      void (fields[merchant] += random.pick(['\nstore 2', '\r\nstore 3', '\n\n"4", upstairs'])),
  },
  {
    name: 'quoted_comma',
    reasons: [],
    edit: ({ fields }, random) => void (fields[user] += random.pick([', jr.', ' "the second"', ',,'])),
  },
  {
    name: 'undecodable',
    optIn: true,
    reasons: ['malformed_row'],
    keyed: false,
    edit: (row, random) => {
      const bytes = Buffer.from(csvLine(row.fields), 'latin1');
      const garbage = random.pick([
        [0xff],
        [0xc3, 0x28],
        [0xe2, 0x82],
        [0xed, 0xa0, 0x80],
        [0xf0, 0x9f, 0x92],
      ]);
      row.line = Buffer.concat([bytes.subarray(0, 5), Uint8Array.from(garbage), bytes.subarray(5)]);
    },
  },
  {
    name: 'quote_astray',
    optIn: true,
    reasons: ['malformed_row'],
    keyed: false,
    edit: (row, random) => {
      const line = csvLine(row.fields);
      row.line = random.pick([
        line.replace(',', '",'),
        line.replace(',', ',"x"y'),
        line.replace(',', ',z""'),
      ]);
    },
  },
];

export const paymentRepeats: readonly Repeat[] = [
  { name: 'repeat_exact', winner: 'original', reasons: [], edit: () => {} },
  { name: 'repeat_older', winner: 'original', reasons: [], edit: (row) => moveTo(row, row.seconds - 5) },
  {
    name: 'repeat_newer',
    winner: 'repeat',
    reasons: [],
    edit: (row) => {
      moveTo(row, row.seconds + 7);
      row.fields[status] = 'CHARGEBACK';
    },
  },
  {
    name: 'repeat_tied',
    winner: 'repeat',
    reasons: [],
    edit: ({ fields }) => void (fields[merchant] = 'N-moved'),
  },
  {
    name: 'repeat_unreadable',
    winner: 'original',
    reasons: [],
    edit: ({ fields }) => void (fields[instant] = '2026-02-30T10:00:00Z'),
  },
  {
    name: 'repeat_in_future',
    winner: 'original',
    reasons: [],
    edit: (row) => moveTo(row, row.seconds + 30 * daySeconds),
  },
  {
    name: 'repeat_newer_but_wrong',
    winner: 'repeat',
    reasons: ['amount_not_a_number'],
    edit: (row) => {
      moveTo(row, row.seconds + 9);
      row.fields[amount] = 'void';
    },
  },
];

export const paymentEchoes: readonly Echo[] = [
  { name: 'next_day_same', delay: 1, shift: 0, reasons: [], edit: (row) => retell(row) },
  {
    name: 'next_day_corrected',
    delay: 1,
    shift: daySeconds,
    reasons: [],
    edit: (row) => {
      moveTo(row, row.seconds + daySeconds);
      row.fields[status] = 'REFUNDED';
    },
  },
  { name: 'next_day_stale', delay: 1, shift: -60, reasons: [], edit: (row) => moveTo(row, row.seconds - 60) },
  {
    name: 'next_day_unreadable',
    delay: 1,
    shift: null,
    reasons: ['timestamp_malformed'],
    edit: ({ fields }) => void (fields[instant] = 'unknown'),
  },
  { name: 'week_later_same', delay: 7, shift: 0, reasons: [], edit: () => {} },
  {
    name: 'beyond_a_week',
    delay: 8,
    shift: 8 * daySeconds,
    reasons: [],
    edit: (row) => moveTo(row, row.seconds + 8 * daySeconds),
  },
];

function blank(field: number): Blemish['edit'] {
  return ({ fields }, random) => void (fields[field] = random.pick(['', ' ']));
}

function moveTo(row: Row, seconds: number): void {
  row.seconds = seconds;
  row.fields[instant] = stamp(seconds, row.micros, row.micros === 0 ? 0 : 7);
}

/** The same instant in another form. */
function retell(row: Row): void {
  row.fields[instant] = stamp(row.seconds, row.micros, row.micros === 0 ? 6 : 8);
}

function malformedStamps(date: string): string[] {
  const [year, month, day] = date.split('-');
  return [
    '',
    'yesterday',
    date,
    `${date}T10:15`,
    `${date}T24:00:00Z`,
    `${date}T10:61:00Z`,
    `${date}T10:15:60Z`,
    `${date}T10:15:00 Z`,
    `${date}  10:15:00`,
    `${date}T10:15:00+2`,
    `${date}T10:15:00.Z`,
    `${day}/${month}/${year} 10:15:00`,
    `${year}-13-01T10:15:00Z`,
    `${year}-02-30T10:15:00Z`,
    `${date}T1٠:15:00Z`,
    `${date}T10:15:00Zulu`,
  ];
}
