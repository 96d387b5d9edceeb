import { pc } from './colours.ts';
import type { RunnableDag } from '../activities/boundary.ts';
import type { Account, Ledger } from '../ports/ledger.ts';
import { quarantined, totalReasons } from '../workers/quarantine.ts';
import type { Cli } from './cli.ts';
import { bytes, count } from './format.ts';
import { quarantineTables } from './lake-tables.ts';
import { namedQuery, runQuery } from './named-query.ts';
import type { FinishedRun } from './run-once.ts';
import type { Session } from './session.ts';
import { textTable } from './text-table.ts';
import { writeRows } from './write-rows.ts';

const zones = ['raw', 'clean', 'bronze', 'silver', 'audit', 'gold'];

async function printTables(cli: Cli, ledger: Ledger, dags: readonly RunnableDag[]): Promise<void> {
  const tables = (await ledger.tables()).filter((table) =>
    dags.some((dag) => table.name.startsWith(`${dag.id}.`)),
  );
  const order = tables.toSorted(
    (a, b) =>
      a.name.split('.')[0]!.localeCompare(b.name.split('.')[0]!) ||
      zones.indexOf(a.zone) - zones.indexOf(b.zone),
  );
  const rows = order.map((table) => [
    table.zone,
    table.name,
    count(table.partitions),
    count(table.rows),
    bytes(table.bytes),
  ]);
  cli.print(
    `\n${pc.bold('The lake')}\n${textTable(['ZONE', 'TABLE', 'PARTITIONS', 'ROWS', 'SIZE'], rows, ['left', 'left', 'right', 'right', 'right'])}`,
  );
}

async function printQuarantine(cli: Cli, ledger: Ledger, dagId: string): Promise<void> {
  const counts = [];
  for (const table of await quarantineTables(ledger, dagId))
    counts.push(...(await quarantined(ledger, table.name, null)));
  const rows = totalReasons(counts).map(([reason, number]) => [reason, count(number)]);
  const total = counts.reduce((sum, each) => sum + each.rows, 0);
  cli.print(
    `\n${pc.bold(`Quarantined by ${dagId}`)}: ${count(total)} rows, each with every reason that applies`,
  );
  cli.print(textTable(['REASON', 'ROWS'], rows, ['left', 'right']));
}

/** `read 60,000 = curated 58,000 + audit 1,500 + …`, over all dates. */
function accountText(accounts: readonly Account[]): string {
  const read = accounts.reduce((sum, account) => sum + account.read, 0);
  const parts = new Map<string, number>();
  for (const account of accounts)
    for (const [name, rows] of Object.entries(account.parts)) parts.set(name, (parts.get(name) ?? 0) + rows);
  const accounted = [...parts.values()].reduce((sum, rows) => sum + rows, 0);
  const mark = accounted === read ? pc.green('✓') : pc.red('✗');
  return `${mark} read ${count(read)} = ${[...parts].map(([name, rows]) => `${name} ${count(rows)}`).join(' + ')}`;
}

async function printAccounts(cli: Cli, ledger: Ledger, dags: readonly RunnableDag[]): Promise<void> {
  cli.print(`\n${pc.bold('Where every row went')}`);
  for (const { id } of dags) cli.print(`${id}: ${accountText(await ledger.accounts(id))}`);
}

function printLinks(cli: Cli, runs: readonly FinishedRun[], kept: boolean): void {
  const links = runs.map((run) => run.link).filter((link) => link !== null);
  if (links.length > 0)
    cli.print(
      `\n${pc.bold('The last run, task by task')}${kept ? '' : ', while the stack is up (npx ingot dev)'}\n${links.at(-1)}`,
    );
}

const nextCommands = [
  ['npx ingot lake history payments.curated', 'who wrote each version, from what, with which code'],
  ['npx ingot lake quarantine payments', 'the rows that broke a rule'],
  ['npx ingot query "select * from payments.daily_totals limit 5"', 'read any table'],
  ['npx ingot dags show payments', 'the graph'],
  ['npx ingot run payments --date 2026-01-02', 'run a date again: the result is the same'],
] as const;

function printNext(cli: Cli, kept: boolean): void {
  const commands = [
    ...nextCommands,
    kept
      ? (['npx ingot down', 'stop the stack'] as const)
      : (['npx ingot dev', 'keep the stack up'] as const),
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  cli.print(`\n${pc.bold('Next')}`);
  for (const [command, about] of commands) cli.print(`  ${command.padEnd(width)}  ${pc.dim(about)}`);
}

export async function printDemoReport(
  cli: Cli,
  session: Session,
  dags: readonly RunnableDag[],
  runs: readonly FinishedRun[],
  kept: boolean,
): Promise<void> {
  const { ledger } = await session.readers();
  await printTables(cli, ledger, dags);
  for (const { id } of dags) await printQuarantine(cli, ledger, id);
  await printAccounts(cli, ledger, dags);
  cli.print(`\n${pc.bold('Top customers')}`);
  await writeRows(await runQuery(cli, session, namedQuery('top_customers'), 5), 'table');
  printLinks(cli, runs, kept);
  printNext(cli, kept);
}
