import { csvLine } from './csv-line.ts';
import type { Blemish, Echo, Repeat, Row } from './source.ts';
import { dateText, stamp } from './timestamps.ts';

const [purchaseId, customerId, firstName, lastName, email, instant, amount, currency] = [
  0, 1, 2, 3, 4, 5, 6, 7,
];
const daySeconds = 86_400;

function oneOf(name: string, field: number, texts: readonly string[], reasons: readonly string[]): Blemish {
  return { name, reasons, edit: ({ fields }, random) => void (fields[field] = random.pick(texts)) };
}

function names(name: string, change: (text: string) => string): Blemish {
  return {
    name,
    reasons: [],
    edit: ({ fields }) => {
      fields[firstName] = change(fields[firstName]!);
      fields[lastName] = change(fields[lastName]!);
    },
  };
}

export const purchaseBlemishes: readonly Blemish[] = [
  names('name_upper', (text) => oneWord(text).toUpperCase()),
  names('name_lower', (text) => oneWord(text).toLowerCase()),
  names('name_spaced', (text) => `  ${text.replaceAll(' ', '   ')} `),
  names('name_two_words_upper', (text) => `${oneWord(text)}  Lee`.toUpperCase()),
  names('name_decomposed', (text) => `${text}é`.normalize('NFD')),
  oneOf('name_first_missing', firstName, ['', ' '], []),
  oneOf('name_last_missing', lastName, ['', '  '], []),
  {
    name: 'name_missing',
    reasons: ['missing_name'],
    edit: ({ fields }) => {
      fields[firstName] = ' ';
      fields[lastName] = '';
    },
  },
  {
    name: 'name_with_newline',
    reasons: [],
    edit: ({ fields }, random) =>
      void (fields[lastName] += random.pick(['\nJunior', '\r\n the  Third', ' \n "Bob"'])),
  },
  oneOf(
    'email_invalid',
    email,
    ['not-an-email', 'a@b', 'anna smith@example.com', '@example.com', 'x@.', ''],
    [],
  ),
  {
    name: 'email_untidy',
    reasons: [],
    edit: ({ fields }) => void (fields[email] = ` ${fields[email]!.toUpperCase()} `),
  },
  { name: 'refund', reasons: [], edit: ({ fields }) => void (fields[amount] = `-${fields[amount]}`) },
  oneOf('amount_half_cent', amount, ['0.01', '0.03', '-0.05', '33.33', '-14.65'], []),
  oneOf('amount_zero', amount, ['0', '0.00', '-0.0'], ['amount_zero']),
  oneOf('amount_text', amount, ['', 'free', '1,000.00', '1e2', 'NaN', '٣'], ['amount_not_a_number']),
  oneOf('amount_too_precise', amount, ['1.005', '-2.3456'], ['amount_too_precise']),
  oneOf('amount_out_of_range', amount, ['1000000.01', '99000000'], ['amount_out_of_range']),
  oneOf('currency_unknown', currency, ['XAU', 'dollars', ''], ['unknown_currency']),
  oneOf('currency_untidy', currency, [' aud', 'Usd', 'sgd  '], []),
  oneOf(
    'customer_id_invalid',
    customerId,
    ['', '0', '-5', 'C-17', '12.0', '2147483648', '99999999999999999999'],
    ['customer_id_invalid'],
  ),
  oneOf('customer_id_largest', customerId, ['2147483647', '1'], []),
  {
    name: 'missing_purchase_id',
    reasons: ['missing_purchase_id'],
    keyed: false,
    edit: ({ fields }, random) => void (fields[purchaseId] = random.pick(['', '  '])),
  },
  {
    name: 'timestamp_malformed',
    reasons: ['timestamp_malformed'],
    edit: ({ fields }, random, day) =>
      void (fields[instant] = random.pick([
        '',
        'today',
        dateText(day),
        `${dateText(day)}T25:00:00Z`,
        '2025-02-29 10:00:00',
      ])),
  },
  {
    name: 'timestamp_in_future',
    reasons: ['timestamp_in_future'],
    edit: (row, random, day) => moveTo(row, (day + 1) * daySeconds + 1 + random.below(90) * daySeconds),
  },
  {
    name: 'bought_earlier',
    reasons: [],
    edit: (row, random) => moveTo(row, row.seconds - (1 + random.below(60)) * daySeconds),
  },
  {
    name: 'several_reasons',
    reasons: ['amount_zero', 'customer_id_invalid', 'timestamp_malformed', 'unknown_currency'],
    edit: ({ fields }) => {
      fields[amount] = '0.00';
      fields[customerId] = 'none';
      fields[instant] = '?';
      fields[currency] = 'credits';
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
    edit: (row) => void (row.line = csvLine([...row.fields, 'a "note", for us'])),
  },
  {
    name: 'undecodable',
    optIn: true,
    reasons: ['malformed_row'],
    keyed: false,
    edit: (row, random) => {
      const bytes = Buffer.from(csvLine(row.fields), 'utf8');
      row.line = Buffer.concat([
        bytes.subarray(0, 3),
        Uint8Array.of(random.pick([0xff, 0xc0, 0x80])),
        bytes.subarray(3),
      ]);
    },
  },
];

export const purchaseRepeats: readonly Repeat[] = [
  { name: 'repeat_exact', winner: 'original', reasons: [], edit: () => {} },
  {
    name: 'repeat_greater',
    winner: 'original',
    reasons: [],
    edit: ({ fields }) => void (fields[firstName] += ' II'),
  },
  {
    name: 'repeat_smaller',
    winner: 'repeat',
    reasons: [],
    edit: ({ fields }) => void (fields[firstName] = ''),
  },
  {
    name: 'repeat_smaller_but_wrong',
    winner: 'repeat',
    reasons: ['customer_id_invalid'],
    edit: ({ fields }) => void (fields[customerId] = ''),
  },
];

export const purchaseEchoes: readonly Echo[] = [
  { name: 'next_day_same', delay: 1, shift: 0, reasons: [], edit: () => {} },
  {
    name: 'next_day_changed',
    delay: 1,
    shift: 0,
    reasons: [],
    edit: ({ fields }) => void (fields[amount] = '77.70'),
  },
  {
    name: 'next_day_wrong',
    delay: 1,
    shift: 0,
    reasons: ['unknown_currency'],
    edit: ({ fields }) => void (fields[currency] = 'N/A'),
  },
  { name: 'week_later_same', delay: 7, shift: 0, reasons: [], edit: () => {} },
  { name: 'beyond_a_week', delay: 8, shift: 0, reasons: [], edit: () => {} },
];

/** Without the hyphens and apostrophes in which title case is a matter of taste. */
function oneWord(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}]/gu, '') || 'Kim';
}

function moveTo(row: Row, seconds: number): void {
  row.seconds = seconds;
  row.fields[instant] = stamp(seconds, 0, 0);
}
