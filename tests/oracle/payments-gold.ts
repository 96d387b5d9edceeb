import { compareDecimals, decimalText, negated, plus, quotient, rounded, sum } from './decimal.ts';
import type { Decimal } from './decimal.ts';
import type { Payment } from './payments.ts';
import { groupBy } from './rows.ts';
import type { TextRow } from './rows.ts';

/** Per date, currency and status; amounts in the payment's own currency. */
export function dailyTotals(payments: readonly Payment[]): TextRow[] {
  const groups = groupBy(payments, ({ date, currency, status }) => JSON.stringify([date, currency, status]));
  return [...groups.values()].map((group) => {
    const total = sum(group.map(({ amount }) => amount));
    return {
      txn_date: group[0]!.date,
      currency: group[0]!.currency,
      status: group[0]!.status,
      count: String(group.length),
      sum: decimalText(total),
      avg: decimalText(quotient(total, group.length, 6)),
    };
  });
}

/** Per merchant and date; amounts in USD. */
export function merchantKpis(payments: readonly Payment[]): TextRow[] {
  const groups = groupBy(payments, ({ merchant, date }) => JSON.stringify([merchant, date]));
  return [...groups.values()].map((group) => {
    const approved = group.filter(({ status }) => status === 'APPROVED');
    const returned = group.filter(({ status }) => status === 'REFUNDED' || status === 'CHARGEBACK');
    const declined = group.filter(({ status }) => status === 'DECLINED');
    const gross = sum(approved.map(({ amountUsd }) => amountUsd));
    const sorted = group.map(({ amountUsd }) => amountUsd).toSorted(compareDecimals);
    return {
      merchant_id: group[0]!.merchant,
      txn_date: group[0]!.date,
      gross: decimalText(gross),
      net: decimalText(plus(gross, negated(sum(returned.map(({ amountUsd }) => amountUsd))))),
      refund_rate: ratio(returned.length, approved.length),
      decline_rate: ratio(declined.length, group.length),
      p50: decimalText(nearestRank(sorted, 50)),
      p95: decimalText(nearestRank(sorted, 95)),
      active_users: String(new Set(group.map(({ user }) => user)).size),
    };
  });
}

function ratio(part: number, whole: number): string | null {
  return whole === 0 ? null : decimalText(rounded(quotient({ units: BigInt(part), scale: 0 }, whole, 6), 6));
}

/** The smallest value that at least `percent` of all do not exceed. */
function nearestRank(sorted: readonly Decimal[], percent: number): Decimal {
  return sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1]!;
}
