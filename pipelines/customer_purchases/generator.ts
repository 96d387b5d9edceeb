import { generateFiles } from '../generators/generate.ts';
import { peoplePools } from '../generators/names.ts';
import type { GenerateOptions, GeneratedFile } from '../generators/options.ts';
import { purchaseBlemishes, purchaseEchoes, purchaseRepeats } from '../generators/purchases-dirt.ts';
import { hash, Random } from '../generators/random.ts';
import type { Copy, Row, Source, Verdict } from '../generators/source.ts';
import { stamp, stampForms } from '../generators/timestamps.ts';

const currencies = ['AUD', 'AUD', 'AUD', 'USD', 'EUR', 'GBP', 'BRL', 'CAD', 'INR', 'JPY', 'SGD'];
const lookBackDays = 7;

const purchasesSource: Source = {
  name: 'customer_purchases',
  columns: [
    'purchase_id',
    'customer_id',
    'first_name',
    'last_name',
    'email',
    'purchased_at',
    'amount',
    'currency',
  ],
  blemishes: purchaseBlemishes,
  repeats: purchaseRepeats,
  echoes: purchaseEchoes,
  rows: purchaseRows,
  verdict,
  deliveredTwice: (seed, day) => (seed + day) % 3 === 1,
};

/** Writes one CSV of customer purchases per date, on some days delivered twice, with its truth, under `<into>/landing/customer_purchases/<date>/`. */
export function generateCustomerPurchases(options: GenerateOptions): Promise<readonly GeneratedFile[]> {
  return generateFiles(purchasesSource, options);
}

function purchaseRows(seed: number, rows: number): (row: Row, day: number, index: number) => void {
  const random = new Random();
  const person = new Random();
  const pools = peoplePools(seed);
  const customers = Math.max(40, Math.floor(rows / 5));
  return (row, day, index) => {
    random.restart(hash(seed, day, index));
    const { fields } = row;
    const customer = Math.min(random.below(customers), random.below(customers));
    person.restart(hash(seed, customer));
    const names = person.pick(pools.names);
    row.seconds = day * 86_400 + random.below(86_000);
    row.micros = random.below(1_000_000);
    fields[0] = `P${day.toString(36)}${index.toString(36).padStart(5, '0')}`.toUpperCase();
    fields[1] = String(1_000 + customer * 17);
    fields[2] = person.pick(names.first);
    fields[3] = person.pick(names.last);
    fields[4] = `${person.pick(pools.mailboxes)}@${person.pick(pools.domains)}`;
    fields[5] = stamp(row.seconds, row.micros, random.below(stampForms));
    fields[6] = amountText(random.next());
    fields[7] = random.pick(currencies);
  };
}

function amountText(draw: number): string {
  const whole = (draw >>> 12) % (draw % 12 === 0 ? 4_000 : 180);
  const cents = 1 + (draw % 99);
  return draw % 23 === 0 ? String(whole + 1) : `${whole}.${cents < 10 ? '0' : ''}${cents}`;
}

/** The first delivery stands, unless it is more than a week old. */
function verdict(copy: Copy, copies: readonly Copy[]): Verdict {
  return copies.some((other) => other.day < copy.day && copy.day - other.day <= lookBackDays)
    ? 'duplicate'
    : 'kept';
}
