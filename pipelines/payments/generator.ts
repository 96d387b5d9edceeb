import { generateFiles } from '../generators/generate.ts';
import type { GenerateOptions, GeneratedFile } from '../generators/options.ts';
import { hash, Random } from '../generators/random.ts';
import type { Copy, Row, Source, Verdict } from '../generators/source.ts';
import { stamp, stampForms, wholeSecondForms } from '../generators/timestamps.ts';
import { paymentBlemishes, paymentEchoes, paymentRepeats } from '../generators/payments-dirt.ts';

const currencies = ['USD', 'USD', 'USD', 'EUR', 'EUR', 'GBP', 'AUD', 'BRL', 'CAD', 'INR', 'JPY', 'SGD'];
const statuses = [
  ...Array<string>(14).fill('APPROVED'),
  'DECLINED',
  'DECLINED',
  'PENDING',
  'PENDING',
  'REFUNDED',
  'CHARGEBACK',
];
const countries = [
  'US',
  'US',
  'GB',
  'DE',
  'FR',
  'AU',
  'BR',
  'CA',
  'IN',
  'JP',
  'SG',
  'NL',
  'ES',
  'IT',
  'PL',
  'SE',
];
const merchants = Array.from({ length: 1_000 }, (_, index) => `M${10_000 + index}`);
const lookBackDays = 7;

const paymentsSource: Source = {
  name: 'payments',
  columns: ['txn_id', 'merchant_id', 'user_id', 'amount', 'currency', 'status', 'txn_ts', 'country'],
  blemishes: paymentBlemishes,
  repeats: paymentRepeats,
  echoes: paymentEchoes,
  rows: paymentRows,
  verdict,
  deliveredTwice: null,
};

/** Writes one CSV of payments per date, with its truth, under `<into>/landing/payments/<date>/`. */
export function generatePayments(options: GenerateOptions): Promise<readonly GeneratedFile[]> {
  return generateFiles(paymentsSource, options);
}

function paymentRows(seed: number, rows: number): (row: Row, day: number, index: number) => void {
  const random = new Random();
  const users = Math.max(200, Math.floor(rows / 8));
  const idPrefix = hash(seed, 17).toString(36).slice(0, 3);
  return (row, day, index) => {
    random.restart(hash(seed, day, index));
    const { fields } = row;
    row.seconds = day * 86_400 + 3_600 + random.below(75_600);
    const form = random.below(16);
    row.micros = form < wholeSecondForms || form >= stampForms ? 0 : random.below(1_000) * 1_000;
    fields[0] = `${idPrefix}-${day.toString(36)}-${index.toString(36)}`;
    // The lesser of two draws, so that merchants differ in size.
    fields[1] = merchants[Math.min(random.below(merchants.length), random.below(merchants.length))]!;
    fields[2] = `U${100_000 + random.below(users)}`;
    fields[3] = amountText(random.next());
    fields[4] = random.pick(currencies);
    fields[5] = random.pick(statuses);
    fields[6] = stamp(row.seconds, row.micros, form < stampForms ? form : 0);
    fields[7] = random.pick(countries);
  };
}

/** From cents to tens of thousands, more often small, with two, one or no decimals. */
function amountText(draw: number): string {
  const whole = (draw >>> 12) % (draw % 10 === 0 ? 50_000 : draw % 3 === 0 ? 1_000 : 120);
  const cents = 1 + (draw % 99);
  if (draw % 41 === 0) return String(whole + 1);
  if (draw % 37 === 0) return `${whole}.${1 + (draw % 9)}`;
  return `${whole}.${cents < 10 ? '0' : ''}${cents}`;
}

/** The rule of the pipeline for the copies the generator makes: readable first, then the later instant, then the later file. */
function verdict(copy: Copy, copies: readonly Copy[]): Verdict {
  const better = copies.filter(
    (other) => Math.abs(other.day - copy.day) <= lookBackDays && compare(other, copy) > 0,
  );
  if (better.length === 0) return 'kept';
  const best = better.reduce((a, b) => (compare(b, a) > 0 ? b : a));
  return best.day > copy.day ? 'superseded' : 'duplicate';
}

function compare(a: Copy, b: Copy): number {
  return (a.shift ?? -Infinity) === (b.shift ?? -Infinity)
    ? a.day - b.day
    : (a.shift ?? -Infinity) - (b.shift ?? -Infinity);
}
