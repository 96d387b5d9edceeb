import type { TaskKind } from '../dag/builder.ts';
import { contractJson } from '../dag/contract.ts';
import type { Contract } from '../dag/contract.ts';
import type { PartitionValues } from '../dag/relation.ts';
import { TerminalError } from '../ports/errors.ts';
import { sourceColumns } from './casting.ts';
import { driftText, isDrifted, schemaText, storedDrift } from './drift.ts';
import { hashOf } from './hashes.ts';
import type { PublishedOf } from './published.ts';
import type { TaskContext } from './task-context.ts';

/**
 * A task that looks at what this run published to a table: registers it as the contract has it and checks the stored files' schema
 * against the contract. Its output passes the table on.
 */
export function crawlTable<C extends Contract>(
  contract: C,
): TaskKind<PublishedOf<C>, PublishedOf<C>, TaskContext> {
  return {
    name: 'crawl',
    facts: {
      kind: 'crawl',
      mode: 'freeze',
      reads: [contract.name],
      contractHash: hashOf(contractJson(contract)),
    },
    summary: contract.name,
    run: async (input, context) => {
      await checkStored(contract, context);
      return { table: input.table, partitions: input.partitions, rows: input.rows };
    },
  };
}

async function checkStored(contract: Contract, { ports, run, log }: TaskContext): Promise<void> {
  await ports.ledger.registerTables([contract.table]);
  const publications = await ports.ledger.history({ table: contract.name, runId: run.id, limit: 1 });
  const files = publications
    .flatMap(({ outputs }) => outputs.filter(({ table }) => table === contract.name))
    .flatMap((output) => output.files.map(({ key }) => ({ key, partition: output.partition })));
  const wrong: string[] = [];
  for (const { key, partition } of files) {
    const stored = await ports.sql.parquetSchema(key);
    const drift = storedDrift(contract, stored);
    if (isDrifted(drift))
      wrong.push(`${key} (${partitionName(partition)}) has ${schemaText(stored)} (${driftText(drift)})`);
  }
  if (wrong.length > 0)
    throw new TerminalError({
      place: contract.name,
      expected: `files with the columns ${schemaText(sourceColumns(contract))}`,
      found: wrong.slice(0, 5).join('; '),
      remedy:
        'The model writes other columns than its contract declares: correct one of the two and run again.',
    });
  log.info(`Registered ${contract.name}`, { files: files.length });
}

function partitionName(partition: PartitionValues): string {
  return Object.entries(partition)
    .map(([column, value]) => `${column}=${value}`)
    .join('/');
}
