import { TerminalError } from '../../ports/errors.ts';
import type { Ledger, PartitionLog } from '../../ports/ledger.ts';
import type { DatabaseAccess } from './access.ts';
import { postgresAssetLog } from './asset-log.ts';
import { postgresBackfillLog } from './backfill-log.ts';
import { postgresCatalogLog } from './catalog-log.ts';
import { readCatalog, readLayouts, registerTables } from './catalog.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { sqlState } from './errors.ts';
import { readAccounts, readHistory, readRuleResults, readWatermark } from './history.ts';
import { lease, releaseLeases } from './leases.ts';
import { postgresPastLog } from './past-log.ts';
import { postgresPoolLog } from './pool-log.ts';
import { publish } from './publish.ts';
import { postgresRunLog } from './run-log.ts';
import { postgresScheduleLog } from './schedule-log.ts';
import { bind } from './selectors.ts';
import { postgresSliceLog } from './slice-log.ts';
import { forgetVersions, readReferencedKeys, readUnreferenced } from './unreferenced.ts';
import { readCurrent, versionsByPart } from './versions.ts';

/** The number in `ingot.format` this code reads and writes; migrations raise it. */
const format = 9;

/** Catalog syncs at once in one process. */
const maxTurns = 4;

const sessionSettings = {
  TimeZone: 'UTC',
  // A worker that stands still (frozen, or cut off) must not keep the table locks of a publication.
  idle_in_transaction_session_timeout: '30s',
  lock_timeout: '60s',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

async function readFormat(db: Database): Promise<number | null> {
  try {
    return (await db.query<{ number: number }>('select number from ingot.format'))[0]?.number ?? null;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (sqlState(cause) === '42P01' || sqlState(cause) === '3F000') return null;
    throw error;
  }
}

async function refuseOtherFormat(db: Database): Promise<void> {
  const found = await readFormat(db);
  if (found === format) return;
  const newer = found !== null && found > format;
  throw new TerminalError({
    place: `ledger at ${db.place}`,
    expected: `a ledger of format ${format}`,
    found: found === null ? 'no ledger' : `format ${found}`,
    remedy: newer ? 'Run the version that migrated it, or a newer one.' : 'Run `ingot migrate` first.',
  });
}

function partitionLog(db: Database): PartitionLog {
  return {
    registerTables: (tables) => registerTables(db, tables),
    tables: () => readCatalog(db.query),
    snapshot: async (wanted) => {
      const layouts = await readLayouts(
        db.query,
        wanted.map(({ selector }) => selector.table),
      );
      const selectors = wanted.map(({ selector }) => bind(layouts, selector));
      const { current, versions } = await readCurrent(db.query, selectors);
      const byPart = versionsByPart(selectors, current);
      const parts = wanted.map(({ selector, role }, index) => ({ selector, role, versions: byPart[index]! }));
      return { snapshot: { parts }, partitions: versions };
    },
    publish: (request) => publish(db, request),
    partitions: async (table, where = {}) => {
      const selector = bind(await readLayouts(db.query, [table]), { table, where });
      return (await readCurrent(db.query, [selector])).versions;
    },
    history: (filter) => readHistory(db.query, filter),
    accounts: (scope) => readAccounts(db.query, scope),
    ruleResults: (filter) => readRuleResults(db.query, filter),
    watermark: (name) => readWatermark(db.query, name),
    lease: (runId, selectors, holdMs) => lease(db, runId, selectors, holdMs),
    releaseLeases: (runId) => releaseLeases(db.query, runId),
    unreferencedFiles: (olderThan) => readUnreferenced(db.query, olderThan),
    forgetVersions: (versions) => forgetVersions(db.query, versions),
    referencedKeys: (prefix) => readReferencedKeys(db.query, prefix),
  };
}

/** The ledger in schema `ingot` of a migrated database. Throws TerminalError when the schema is absent, older or newer. */
export async function openPostgresLedger(
  access: string | DatabaseAccess,
  options: { readonly maxConnections?: number } = {},
): Promise<Ledger> {
  const db = openDatabase(access, sessionSettings, options.maxConnections ?? 8);
  try {
    await refuseOtherFormat(db);
  } catch (error) {
    await db.close();
    throw error;
  }
  const turnsDb = openDatabase(access, sessionSettings, maxTurns);
  return {
    ...postgresRunLog(db),
    ...partitionLog(db),
    ...postgresScheduleLog(db),
    ...postgresBackfillLog(db),
    ...postgresPoolLog(db),
    ...postgresPastLog(db),
    ...postgresSliceLog(db),
    ...postgresAssetLog(db),
    ...postgresCatalogLog(db, turnsDb),
    close: async () => {
      await Promise.all([db.close(), turnsDb.close()]);
    },
  };
}
