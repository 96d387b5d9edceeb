import { namedQueries } from '../../pipelines/index.ts';
import type { PartitionLog } from '../../ports/ledger.ts';
import { recomputeCustomerPurchases } from './customer-purchases.ts';
import { recomputePayments } from './payments.ts';
import { publishedRows } from './product-tables.ts';
import type { LakeView } from './product-tables.ts';
import { lines } from './rows.ts';
import type { DayAccount, Delivery, TextRow } from './rows.ts';

export interface LakeWithWarehouse extends LakeView {
  readonly ledger: Pick<PartitionLog, 'partitions' | 'tables' | 'accounts'>;
  /** Rows of a select in the warehouse, values as text. */
  readonly warehouse: (sql: string) => Promise<readonly (readonly (string | null)[])[]>;
}

const columns = {
  curated:
    'ingest_date txn_date txn_id merchant_id user_id amount currency status txn_ts country amount_usd txn_hour is_refund',
  audit: 'ingest_date source_file line_number raw reasons',
  dailyTotals: 'txn_date currency status count sum avg',
  merchantKpis: 'merchant_id txn_date gross net refund_rate decline_rate p50 p95 active_users',
  silver:
    'ingestion_date purchase_id customer_id first_name last_name full_name email purchased_at amount currency amount_aud',
  quarantine: 'ingestion_date source_file line_number raw reasons',
  staging: 'customer_id full_name email total_spent_aud first_purchase_date last_purchase_date load_date',
  contributions:
    'year month day customer_id full_name email total_spent_aud first_purchase_date last_purchase_date',
  summary: 'customer_id full_name email total_spent_aud first_purchase_date last_purchase_date',
};

/** Rows that one side has more often than the other, a few of them; empty when the tables are equal. */
function compare(
  name: string,
  found: readonly TextRow[],
  expected: readonly TextRow[],
  list: string,
): string[] {
  const names = list.split(' ');
  const surplus = new Map<string, number>();
  for (const line of lines(found, names)) surplus.set(line, (surplus.get(line) ?? 0) + 1);
  for (const line of lines(expected, names)) surplus.set(line, (surplus.get(line) ?? 0) - 1);
  const wrong = [...surplus].filter(([, count]) => count !== 0);
  return wrong
    .slice(0, 3)
    .map(
      ([line, count]) =>
        `${name}: ${count > 0 ? 'unexpected' : 'missing'} (${Math.abs(count)}×, ${wrong.length} such lines) ${line}`,
    );
}

async function compareWarehouse(
  lake: LakeWithWarehouse,
  table: string,
  expected: readonly TextRow[],
  list: string,
  from = table,
): Promise<string[]> {
  const names = list.split(' ');
  // The first slice that is loaded makes the table.
  const [[exists]] = (await lake.warehouse(`select (to_regclass('${table}') is not null)::text`)) as [
    [string],
  ];
  const selected = names.map((name) => `${name}::text`).join(', ');
  const rows = exists === 'true' ? await lake.warehouse(`select ${selected} from ${from}`) : [];
  const found = rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]!])));
  return compare(`warehouse ${table === from ? table : 'named query'}`, found, expected, list);
}

async function compareAccounts(
  lake: LakeWithWarehouse,
  scope: string,
  expected: readonly DayAccount[],
): Promise<string[]> {
  const found = (await lake.ledger.accounts(scope)).map(({ partition, read, parts }) => ({
    date: partition.slice(partition.indexOf('=') + 1),
    read: String(read),
    ...Object.fromEntries(
      ['curated', 'audit', 'duplicates', 'superseded'].map((part) => [part, String(parts[part] ?? 0)]),
    ),
  }));
  const wanted = expected.map(({ ingestDate, ...counts }) => ({
    date: ingestDate,
    ...Object.fromEntries(Object.entries(counts).map(([part, count]) => [part, String(count)])),
  }));
  return compare(`account ${scope}`, found, wanted, 'date read curated audit duplicates superseded');
}

/** Rows per zone and quarantined rows per reason, as the summaries tell them. */
async function compareQuality(
  lake: LakeWithWarehouse,
  source: string,
  by: string,
  accounts: readonly DayAccount[],
  quarantined: readonly TextRow[],
): Promise<string[]> {
  const found = (await publishedRows(lake, `${source}.quality_summary`, [by, 'summary'])).map((row) => {
    const { rows, rules, malformed_rows } = JSON.parse(row['summary']!) as QualitySummary;
    const failed = Object.entries(rules).filter(([, rule]) => rule.severity === 'error' && rule.failed > 0);
    const reasons = Object.fromEntries(failed.map(([name, rule]) => [name, rule.failed]));
    return qualityRow(
      row[by]!,
      { superseded: 0, ...rows },
      malformed_rows > 0 ? { ...reasons, malformed_row: malformed_rows } : reasons,
    );
  });
  const expected = accounts.map(({ ingestDate, read, ...rows }) => {
    const reasons: Record<string, number> = {};
    for (const row of quarantined.filter((each) => each[by] === ingestDate))
      for (const reason of row['reasons']!.split(',')) reasons[reason] = (reasons[reason] ?? 0) + 1;
    return qualityRow(ingestDate, { bronze: read, ...rows }, reasons);
  });
  return compare(`${source}.quality_summary`, found, expected, 'date rows reasons');
}

interface QualitySummary {
  readonly rows: Readonly<Record<string, number>>;
  readonly rules: Readonly<Record<string, { readonly severity: string; readonly failed: number }>>;
  readonly malformed_rows: number;
}

function qualityRow(
  date: string,
  rows: Readonly<Record<string, number>>,
  reasons: Readonly<Record<string, number>>,
): TextRow {
  const sorted = (counts: Readonly<Record<string, number>>): string =>
    JSON.stringify(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { date, rows: sorted(rows), reasons: sorted(reasons) };
}

function withDateParts(row: TextRow): TextRow {
  const [year, month, day] = row['ingestion_date']!.split('-') as [string, string, string];
  return { ...row, year, month, day };
}

/** Where the payments tables differ from what the oracle makes of the same files. */
export async function paymentsDifferences(
  lake: LakeWithWarehouse,
  files: readonly Delivery[],
  ratesCsv: string,
): Promise<string[]> {
  const expected = recomputePayments(files, ratesCsv);
  const table = async (name: string, rows: readonly TextRow[], list: string): Promise<string[]> =>
    compare(name, await publishedRows(lake, name, list.split(' ')), rows, list);
  return [
    ...(await table('payments.curated', expected.curated, columns.curated)),
    ...(await table('payments.audit', expected.audit, columns.audit)),
    ...(await compareAccounts(lake, 'payments', expected.accounts)),
    ...(await compareQuality(lake, 'payments', 'ingest_date', expected.accounts, expected.audit)),
    ...(await table('payments.daily_totals', expected.dailyTotals, columns.dailyTotals)),
    ...(await table('payments.merchant_kpis', expected.merchantKpis, columns.merchantKpis)),
    ...(await compareWarehouse(lake, 'merchant_kpis', expected.merchantKpis, columns.merchantKpis)),
  ];
}

/** Where the customer_purchases tables differ from what the oracle makes of the same files. */
export async function customerPurchasesDifferences(
  lake: LakeWithWarehouse,
  files: readonly Delivery[],
  ratesCsv: string,
): Promise<string[]> {
  const expected = recomputeCustomerPurchases(files, ratesCsv);
  const table = async (name: string, rows: readonly TextRow[], list: string): Promise<string[]> =>
    compare(name, await publishedRows(lake, name, list.split(' ')), rows, list);
  return [
    ...(await table('customer_purchases.silver', expected.silver, columns.silver)),
    ...(await table('customer_purchases.quarantine', expected.quarantine, columns.quarantine)),
    ...(await compareAccounts(lake, 'customer_purchases', expected.accounts)),
    ...(await compareQuality(
      lake,
      'customer_purchases',
      'ingestion_date',
      expected.accounts,
      expected.quarantine,
    )),
    ...(await table(
      'customer_purchases.customers',
      expected.goldContributions.map(withDateParts),
      columns.contributions,
    )),
    ...(await compareWarehouse(lake, 'customer_purchase_summary_staging', expected.staging, columns.staging)),
    ...(await compareWarehouse(lake, 'customer_purchase_summary', expected.summary, columns.summary)),
    ...(await compareWarehouse(
      lake,
      'customer_purchase_summary',
      expected.topCustomers,
      columns.summary,
      `(${namedQueries['top_customers']!.sql}) top`,
    )),
  ];
}
