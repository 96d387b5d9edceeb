import { compareFields, splitCsv, trimmed } from './csv-records.ts';
import { compareDecimals, decimalOf, decimalText, RateTable, rounded, sum, times } from './decimal.ts';
import type { Decimal } from './decimal.ts';
import { dateOf, dayMicros, daysApart, instantOf, instantText, startOf } from './instant.ts';
import { emailOf, nameOf } from './names.ts';
import { groupBy } from './rows.ts';
import type { DayAccount, Delivery, TextRow } from './rows.ts';

const currencies = 'AUD BRL CAD EUR GBP INR JPY SGD USD'.split(' ');
const columns = 8;
const lookBackDays = 7;
const largestId = 2n ** 31n - 1n;

interface Entry {
  readonly ingestDate: string;
  readonly file: string;
  readonly line: number;
  readonly raw: string;
  readonly fields: readonly string[];
}

interface Purchase {
  readonly entry: Entry;
  readonly customerId: number;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string | null;
  readonly at: bigint;
  readonly amount: Decimal;
  readonly currency: string;
  readonly amountAud: Decimal;
}

export interface CustomerPurchasesResult {
  readonly silver: readonly TextRow[];
  readonly quarantine: readonly TextRow[];
  readonly accounts: readonly DayAccount[];
  readonly goldContributions: readonly TextRow[];
  readonly staging: readonly TextRow[];
  readonly summary: readonly TextRow[];
  readonly topCustomers: readonly TextRow[];
}

/** Everything the customer_purchases pipeline must come to, from the raw files and the rate table (to AUD) alone. */
export function recomputeCustomerPurchases(
  files: readonly Delivery[],
  ratesCsv: string,
): CustomerPurchasesResult {
  const rates = new RateTable(ratesCsv);
  const accounts = new Map<string, { read: number; curated: number; audit: number; duplicates: number }>();
  const accountOf = (date: string) => {
    if (!accounts.has(date)) accounts.set(date, { read: 0, curated: 0, audit: 0, duplicates: 0 });
    return accounts.get(date)!;
  };
  const purchases: Purchase[] = [];
  const quarantine: TextRow[] = [];
  const keyed: Entry[] = [];

  const toQuarantine = (
    { ingestDate, file, line, raw }: Omit<Entry, 'fields'>,
    reasons: readonly string[],
  ): void => {
    accountOf(ingestDate).audit++;
    quarantine.push({
      ingestion_date: ingestDate,
      source_file: file,
      line_number: String(line),
      raw,
      reasons: reasons.toSorted().join(','),
    });
  };
  const settle = (entry: Entry): void => {
    const reasons = reasonsOf(entry);
    if (reasons.length > 0) return toQuarantine(entry, reasons);
    purchases.push(purchaseOf(entry, rates));
    accountOf(entry.ingestDate).curated++;
  };

  for (const file of files) {
    accountOf(file.ingestDate);
    for (const record of splitCsv(file.bytes).records) {
      accountOf(file.ingestDate).read++;
      const place = { ingestDate: file.ingestDate, file: file.name, line: record.line };
      if (record.fields?.length !== columns) {
        toQuarantine({ ...place, raw: record.raw }, ['malformed_row']);
        continue;
      }
      const entry = { ...place, raw: JSON.stringify(record.fields), fields: record.fields.map(trimmed) };
      if (entry.fields[0] === '') settle(entry);
      else keyed.push(entry);
    }
  }
  for (const copies of groupBy(keyed, (entry) => entry.fields[0]!).values()) {
    for (const entry of copies) {
      if (copies.some((other) => displaces(other, entry))) accountOf(entry.ingestDate).duplicates++;
      else settle(entry);
    }
  }

  const contributions = [
    ...groupBy(purchases, ({ entry, customerId }) => `${entry.ingestDate} ${customerId}`).values(),
  ].map((group) => ({
    load_date: group[0]!.entry.ingestDate,
    ...totalOf(group),
  }));
  const summary = [...groupBy(purchases, ({ customerId }) => String(customerId)).values()].map(totalOf);
  return {
    silver: purchases.map(silverRow),
    quarantine,
    accounts: [...accounts.keys()]
      .toSorted()
      .map((ingestDate) => ({ ingestDate, ...accounts.get(ingestDate)!, superseded: 0 })),
    goldContributions: contributions.map(({ load_date, ...row }) => ({ ...row, ingestion_date: load_date })),
    staging: contributions,
    summary,
    topCustomers: summary.toSorted(bySpend).slice(0, 5),
  };
}

/** Whether the presence of `other` drops `entry`. Of records equal in everything the first in file and line order stands for all. */
function displaces(other: Entry, entry: Entry): boolean {
  if (other === entry) return false;
  const days = daysApart(other.ingestDate, entry.ingestDate);
  if (days !== 0) return days > 0 && days <= lookBackDays;
  const order = compareFields(other.fields, entry.fields);
  if (order !== 0) return order < 0;
  return other.file === entry.file ? other.line < entry.line : other.file < entry.file;
}

function reasonsOf({ ingestDate, fields }: Entry): string[] {
  const [id, customer, first, last, , instant, amountText, currency] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const reasons: string[] = [];
  if (id === '') reasons.push('missing_purchase_id');
  if (!/^[0-9]+$/.test(customer) || BigInt(customer) < 1n || BigInt(customer) > largestId)
    reasons.push('customer_id_invalid');
  if (nameOf(first) === '' && nameOf(last) === '') reasons.push('missing_name');
  const at = instantOf(instant);
  if (at === null) reasons.push('timestamp_malformed');
  else if (at >= startOf(ingestDate) + dayMicros) reasons.push('timestamp_in_future');
  const amount = decimalOf(amountText);
  if (amount === null) reasons.push('amount_not_a_number');
  else {
    if (amount.scale > 2) reasons.push('amount_too_precise');
    if (amount.units === 0n) reasons.push('amount_zero');
    const size = { units: amount.units < 0n ? -amount.units : amount.units, scale: amount.scale };
    if (compareDecimals(size, { units: 1_000_000n, scale: 0 }) > 0) reasons.push('amount_out_of_range');
  }
  if (!currencies.includes(currency.toUpperCase())) reasons.push('unknown_currency');
  return reasons;
}

function purchaseOf(entry: Entry, rates: RateTable): Purchase {
  const [, customer, first, last, email, instant, amountText, currency] = entry.fields as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const at = instantOf(instant)!;
  const amount = rounded(decimalOf(amountText)!, 2);
  return {
    entry,
    customerId: Number(customer),
    firstName: nameOf(first),
    lastName: nameOf(last),
    email: emailOf(email),
    at,
    amount,
    currency: currency.toUpperCase(),
    amountAud: rounded(times(amount, rates.on(dateOf(at), currency.toUpperCase())), 2),
  };
}

/** One customer's total over some purchases; name and e-mail are those of the latest. */
function totalOf(purchases: readonly Purchase[]) {
  const latest = purchases.reduce((a, b) => (compareAge(b, a) > 0 ? b : a));
  const dates = purchases.map(({ at }) => dateOf(at)).toSorted();
  return {
    customer_id: String(latest.customerId),
    full_name: fullName(latest),
    email: latest.email,
    total_spent_aud: decimalText(sum(purchases.map(({ amountAud }) => amountAud))),
    first_purchase_date: dates[0]!,
    last_purchase_date: dates.at(-1)!,
  };
}

/** Positive where `a` is the later purchase; then the later ingestion date, then the greater fields. */
function compareAge(a: Purchase, b: Purchase): number {
  if (a.at !== b.at) return a.at > b.at ? 1 : -1;
  if (a.entry.ingestDate !== b.entry.ingestDate) return a.entry.ingestDate > b.entry.ingestDate ? 1 : -1;
  return compareFields(a.entry.fields, b.entry.fields);
}

function fullName({ firstName, lastName }: Purchase): string {
  return [firstName, lastName].filter((name) => name !== '').join(' ');
}

function bySpend(
  a: { total_spent_aud: string; customer_id: string },
  b: { total_spent_aud: string; customer_id: string },
): number {
  const order = compareDecimals(decimalOf(b.total_spent_aud)!, decimalOf(a.total_spent_aud)!);
  return order === 0 ? Number(a.customer_id) - Number(b.customer_id) : order;
}

function silverRow(purchase: Purchase): TextRow {
  return {
    ingestion_date: purchase.entry.ingestDate,
    purchase_id: purchase.entry.fields[0]!,
    customer_id: String(purchase.customerId),
    first_name: purchase.firstName,
    last_name: purchase.lastName,
    full_name: fullName(purchase),
    email: purchase.email,
    purchased_at: instantText(purchase.at),
    amount: decimalText(purchase.amount),
    currency: purchase.currency,
    amount_aud: decimalText(purchase.amountAud),
  };
}
