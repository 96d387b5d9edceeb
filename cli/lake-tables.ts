import type { Ledger } from '../ports/ledger.ts';
import { nearest } from '../workers/config/nearest.ts';
import { UsageError } from './cli.ts';

type LakeTable = Awaited<ReturnType<Ledger['tables']>>[number];

export async function tableNamed(ledger: Ledger, name: string): Promise<LakeTable> {
  const tables = await ledger.tables();
  const found = tables.find((table) => table.name === name);
  if (found !== undefined) return found;
  const known = tables.map((table) => table.name);
  const meant = known.filter((each) => each.startsWith(`${name}.`)).slice(0, 6);
  const near = meant.length > 0 ? meant : nearest(name, known);
  throw new UsageError(
    `expected a table of the lake, written <pipeline>.<table>; found ${name}. ${near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'A run publishes them; `ingot lake tables` lists them.'}`,
  );
}

/** Tables of a pipeline that hold quarantined rows: those that keep reasons. */
export async function quarantineTables(ledger: Ledger, name: string): Promise<readonly LakeTable[]> {
  const tables = (await ledger.tables()).filter((table) =>
    table.columns.some((column) => column.name === 'reasons'),
  );
  const found = tables.filter((table) => table.name === name || table.name.startsWith(`${name}.`));
  if (found.length > 0) return found;
  const known = [...new Set(tables.flatMap((table) => [table.name.split('.')[0]!, table.name]))];
  const near = nearest(name, known);
  throw new UsageError(
    `expected a pipeline or table with quarantined rows${known.length > 0 ? ` (${known.join(', ')})` : ''}; found ${name}. ${near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Run the pipeline first.'}`,
  );
}
