import { readFile } from 'node:fs/promises';
import type { Publication } from '../../ports/ledger.ts';
import { customerPurchasesDifferences, paymentsDifferences } from '../oracle/differences.ts';
import type { LakeWithWarehouse } from '../oracle/differences.ts';
import { brokenPointers } from '../oracle/product-tables.ts';
import type { Delivery } from '../oracle/rows.ts';
import type { RealStack } from './real-stack.ts';

const comparisons: Readonly<Record<string, typeof paymentsDifferences>> = {
  payments: paymentsDifferences,
  customer_purchases: customerPurchasesDifferences,
};

/** Everything wrong with what readers see after the runs over `files`, by source; empty when all is as it should be. */
export async function problemsOf(
  stack: RealStack,
  files: ReadonlyMap<string, readonly Delivery[]>,
): Promise<string[]> {
  const view: LakeWithWarehouse = {
    ledger: stack.ledger,
    location: stack.location,
    warehouse: (sql) => stack.warehouse(sql),
  };
  const found: string[] = [];
  for (const [source, delivered] of files) {
    const rates = await readFile(new URL(`../../pipelines/${source}/rates.csv`, import.meta.url), 'utf8');
    found.push(...(await comparisons[source]!(view, delivered, rates)));
  }
  return [
    ...found,
    ...(await brokenPointers(view)),
    ...(await strayPointers(stack)),
    ...(await openRuns(stack)),
  ];
}

/** Pointers to something that was not published by an attempt that succeeded. */
async function strayPointers({ ledger }: RealStack): Promise<string[]> {
  const found: string[] = [];
  const succeeded = new Map<string, Set<string>>();
  const succeededOf = async (runId: string): Promise<Set<string>> => {
    let known = succeeded.get(runId);
    if (known === undefined) {
      const attempts = (await ledger.attempts(runId)).filter(({ state }) => state === 'success');
      known = new Set(attempts.map(({ taskId, mapIndex, attempt }) => `${taskId} ${mapIndex} ${attempt}`));
      succeeded.set(runId, known);
    }
    return known;
  };
  for (const { name } of await ledger.tables()) {
    const publications = new Map<number, Publication>();
    for (const publication of await ledger.history({ table: name, limit: 100_000 }))
      publications.set(publication.id, publication);
    for (const { partitionText, publicationId } of await ledger.partitions(name)) {
      const publication = publications.get(publicationId);
      const place = `${name}/${partitionText}`;
      if (publication === undefined) {
        found.push(`${place}: its publication ${publicationId} is not in the history`);
        continue;
      }
      const { runId, taskId, mapIndex, attempt } = publication;
      if (!(await succeededOf(runId)).has(`${taskId} ${mapIndex} ${attempt}`))
        found.push(
          `${place}: points to attempt ${attempt} of ${taskId} in run ${runId}, which did not succeed`,
        );
    }
  }
  return found;
}

async function openRuns({ ledger }: RealStack): Promise<string[]> {
  const open = await ledger.runs({ state: 'running', limit: 1000 });
  return open.map(({ workflowId }) => `${workflowId}: still running in the ledger`);
}
