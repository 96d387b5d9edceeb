import { compareFields, splitCsv, trimmed } from './csv-records.ts';
import { compareDecimals, decimalOf, decimalText, RateTable, rounded, times } from './decimal.ts';
import type { Decimal } from './decimal.ts';
import { dateOf, dayMicros, daysApart, instantOf, instantText, startOf } from './instant.ts';
import { dailyTotals, merchantKpis } from './payments-gold.ts';
import { groupBy } from './rows.ts';
import type { DayAccount, Delivery, TextRow } from './rows.ts';

const currencies = 'AUD BRL CAD EUR GBP INR JPY SGD USD'.split(' ');
const statuses = 'APPROVED CHARGEBACK DECLINED PENDING REFUNDED'.split(' ');
const columns = 8;
const lookBackDays = 7;

interface Entry {
  readonly ingestDate: string;
  readonly file: string;
  readonly line: number;
  readonly raw: string;
  readonly fields: readonly string[];
  /** Readable and in range, or null. */
  readonly at: bigint | null;
  readonly readable: boolean;
}

export interface Payment {
  readonly entry: Entry;
  readonly amount: Decimal;
  readonly amountUsd: Decimal;
  readonly currency: string;
  readonly status: string;
  readonly merchant: string;
  readonly user: string;
  readonly at: bigint;
  readonly date: string;
}

export interface PaymentsResult {
  readonly curated: readonly TextRow[];
  readonly audit: readonly TextRow[];
  readonly accounts: readonly DayAccount[];
  readonly dailyTotals: readonly TextRow[];
  readonly merchantKpis: readonly TextRow[];
  readonly qualityCounts: readonly {
    readonly ingestDate: string;
    readonly reasons: Readonly<Record<string, number>>;
    readonly late: number;
  }[];
}

/** Everything the payments pipeline must come to, from the raw files and the rate table alone. */
export function recomputePayments(files: readonly Delivery[], ratesCsv: string): PaymentsResult {
  const rates = new RateTable(ratesCsv);
  const days = new Map<
    string,
    {
      read: number;
      curated: number;
      audit: number;
      duplicates: number;
      superseded: number;
      late: number;
      reasons: Record<string, number>;
    }
  >();
  const dayOf = (date: string) => {
    if (!days.has(date))
      days.set(date, { read: 0, curated: 0, audit: 0, duplicates: 0, superseded: 0, late: 0, reasons: {} });
    return days.get(date)!;
  };
  const payments: Payment[] = [];
  const audit: TextRow[] = [];
  const keyed: Entry[] = [];

  const toAudit = (entry: Omit<Entry, 'fields' | 'at' | 'readable'>, reasons: readonly string[]): void => {
    const day = dayOf(entry.ingestDate);
    day.audit++;
    for (const reason of reasons) day.reasons[reason] = (day.reasons[reason] ?? 0) + 1;
    audit.push({
      ingest_date: entry.ingestDate,
      source_file: entry.file,
      line_number: String(entry.line),
      raw: entry.raw,
      reasons: reasons.toSorted().join(','),
    });
  };
  const settle = (entry: Entry): void => {
    const reasons = reasonsOf(entry);
    if (reasons.length > 0) return toAudit(entry, reasons);
    const payment = paymentOf(entry, rates);
    payments.push(payment);
    dayOf(entry.ingestDate).curated++;
    if (payment.date < entry.ingestDate) dayOf(entry.ingestDate).late++;
  };

  for (const file of files) {
    dayOf(file.ingestDate);
    for (const record of splitCsv(file.bytes).records) {
      dayOf(file.ingestDate).read++;
      const place = { ingestDate: file.ingestDate, file: file.name, line: record.line };
      if (record.fields?.length !== columns) {
        toAudit({ ...place, raw: record.raw }, ['malformed_row']);
        continue;
      }
      const entry = entryOf(place, record.fields);
      if (entry.fields[0] === '') settle(entry);
      else keyed.push(entry);
    }
  }

  for (const copies of groupBy(keyed, (entry) => entry.fields[0]!).values()) {
    for (const entry of copies) {
      const best = bestRival(entry, copies);
      if (best === null) settle(entry);
      else if (best.ingestDate > entry.ingestDate) dayOf(entry.ingestDate).superseded++;
      else dayOf(entry.ingestDate).duplicates++;
    }
  }

  const dates = [...days.keys()].toSorted();
  return {
    curated: payments.map(curatedRow),
    audit,
    accounts: dates.map((ingestDate) => {
      const { read, curated, audit: audited, duplicates, superseded } = days.get(ingestDate)!;
      return { ingestDate, read, curated, audit: audited, duplicates, superseded };
    }),
    dailyTotals: dailyTotals(payments),
    merchantKpis: merchantKpis(payments),
    qualityCounts: dates.map((ingestDate) => ({
      ingestDate,
      reasons: days.get(ingestDate)!.reasons,
      late: days.get(ingestDate)!.late,
    })),
  };
}

function entryOf(
  place: { ingestDate: string; file: string; line: number },
  verbatim: readonly string[],
): Entry {
  const fields = verbatim.map(trimmed);
  const at = instantOf(fields[6]!);
  const start = startOf(place.ingestDate);
  const inRange = at !== null && at >= start - 7n * dayMicros && at < start + dayMicros;
  return { ...place, fields, raw: JSON.stringify(verbatim), at: inRange ? at : null, readable: at !== null };
}

/** The best of the copies within a week that beat `entry`, or null when it stays. */
function bestRival(entry: Entry, copies: readonly Entry[]): Entry | null {
  const rivals = copies.filter(
    (other) =>
      other !== entry &&
      Math.abs(daysApart(entry.ingestDate, other.ingestDate)) <= lookBackDays &&
      compareEntries(other, entry) > 0,
  );
  return rivals.length === 0 ? null : rivals.reduce((a, b) => (compareEntries(b, a) > 0 ? b : a));
}

/** Positive where `a` is the better copy. Of records equal in everything the first in file and line order stands for all. */
function compareEntries(a: Entry, b: Entry): number {
  if ((a.at === null) !== (b.at === null)) return a.at === null ? -1 : 1;
  if (a.at !== null && b.at !== null && a.at !== b.at) return a.at > b.at ? 1 : -1;
  if (a.ingestDate !== b.ingestDate) return a.ingestDate > b.ingestDate ? 1 : -1;
  const byFields = compareFields(a.fields, b.fields);
  if (byFields !== 0) return byFields;
  return a.file === b.file ? b.line - a.line : a.file < b.file ? 1 : -1;
}

function reasonsOf({ fields, at, readable }: Entry): string[] {
  const [id, merchant, user, amountText, currency, status] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const reasons: string[] = [];
  const amount = decimalOf(amountText);
  if (amount === null) reasons.push('amount_not_a_number');
  else {
    if (amount.scale > 2) reasons.push('amount_too_precise');
    if (amount.units <= 0n) reasons.push('amount_not_positive');
    if (compareDecimals(amount, { units: 1_000_000n, scale: 0 }) > 0) reasons.push('amount_out_of_range');
  }
  if (!readable) reasons.push('timestamp_malformed');
  else if (at === null) reasons.push('timestamp_out_of_range');
  if (id === '') reasons.push('missing_txn_id');
  if (merchant === '') reasons.push('missing_merchant_id');
  if (user === '') reasons.push('missing_user_id');
  if (!currencies.includes(currency.toUpperCase())) reasons.push('unknown_currency');
  if (!statuses.includes(status.toUpperCase())) reasons.push('unknown_status');
  return reasons;
}

function paymentOf(entry: Entry, rates: RateTable): Payment {
  const [, merchant, user, amountText, currency, status] = entry.fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const amount = rounded(decimalOf(amountText)!, 2);
  const at = entry.at!;
  const date = dateOf(at);
  const known = currency.toUpperCase();
  return {
    entry,
    amount,
    amountUsd: rounded(times(amount, rates.on(date, known)), 2),
    currency: known,
    status: status.toUpperCase(),
    merchant,
    user,
    at,
    date,
  };
}

function curatedRow(payment: Payment): TextRow {
  return {
    ingest_date: payment.entry.ingestDate,
    txn_date: payment.date,
    txn_id: payment.entry.fields[0]!,
    merchant_id: payment.merchant,
    user_id: payment.user,
    amount: decimalText(payment.amount),
    currency: payment.currency,
    status: payment.status,
    txn_ts: instantText(payment.at),
    country: payment.entry.fields[7]!.toUpperCase(),
    amount_usd: decimalText(payment.amountUsd),
    txn_hour: String(Number(instantText(payment.at).slice(11, 13))),
    is_refund: String(['REFUNDED', 'CHARGEBACK'].includes(payment.status)),
  };
}
