import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Catalog } from '../ports/catalog.ts';
import type { Ledger } from '../ports/ledger.ts';
import { reconcileBackfills } from './backfill-reconciler.ts';
import { keepCatalog } from './catalog-keeper.ts';
import { keepPools } from './pool-keeper.ts';
import { reconcileRuns, type ReconciledRun } from './reconciler.ts';
import { runAlerts } from './run-alerts.ts';

/** How long a run that ended without saying so may look open. */
const reconcileEveryMs = 30_000;
/** How long slots may stay with a run that ended, and a grant untold. */
const keepPoolsEveryMs = 15_000;
/** How long the catalog may be behind what was published. */
const keepCatalogEveryMs = 15_000;

interface House {
  readonly ledger: Ledger;
  readonly client: Client;
  readonly taskQueue: string;
  readonly log: Logger;
  readonly catalog?: Catalog;
}

/** What every worker looks after beside its tasks, until `signal` is aborted. Several workers may do so at once. */
export async function keepHouse(signal: AbortSignal, { log, catalog, ...parts }: House): Promise<void> {
  const alerts = runAlerts(parts);
  const tell = alerts.failed;

  async function reconcile(): Promise<void> {
    tellClosed(log, await reconcileRuns({ ...parts, tell }));
    for (const { backfill, outcome, execution } of await reconcileBackfills(parts))
      log.warn(
        { backfill: backfill.backfillId, workflowId: backfill.workflowId, outcome, execution },
        'closed a backfill that had ended without saying so',
      );
    await alerts.replaced();
  }

  /** One round after another; what one cannot do the next tries again. */
  async function repeat(everyMs: number, complaint: string, round: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await round();
      } catch (error) {
        log.warn({ error: error instanceof Error ? error.message : String(error) }, complaint);
      }
      await delay(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  await Promise.all([
    repeat(reconcileEveryMs, 'could not look for runs that ended without saying so', reconcile),
    repeat(keepPoolsEveryMs, 'could not look at the pools', async () =>
      tellClosed(log, await keepPools({ ...parts, tell })),
    ),
    catalog === undefined
      ? undefined
      : repeat(keepCatalogEveryMs, 'could not bring the catalog in line', () =>
          keepCatalog(parts.ledger, catalog, log, signal),
        ),
  ]);
}

function tellClosed(log: Logger, closed: readonly ReconciledRun[]): void {
  for (const { run, outcome, execution } of closed)
    log.warn(
      { run: run.runId, workflowId: run.workflowId, outcome, execution },
      'closed a run that had ended without saying so',
    );
}
