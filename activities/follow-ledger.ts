import type { JsonObject } from '../dag/json.ts';
import type { Catalog } from '../ports/catalog.ts';

/** A step has a minute. What the catalog is not told within this time, the housekeeping of a worker tells it. */
const patienceMs = 20_000;

export interface FollowLog {
  warn(message: string, fields: JsonObject): void;
}

/**
 * Brings tables of a publication in line in the catalog. The publication stands whatever comes of it: what fails is logged, and mended by whoever asks
 * the ledger which tables are behind.
 */
export async function followPublication(
  catalog: Catalog,
  tables: readonly string[],
  cancelled: AbortSignal,
  log: FollowLog,
): Promise<void> {
  if (tables.length === 0) return;
  try {
    await catalog.sync(tables, {
      sinceLast: true,
      signal: AbortSignal.any([cancelled, AbortSignal.timeout(patienceMs)]),
    });
  } catch (error) {
    log.warn('published; the catalog does not show it yet', {
      catalog: catalog.name,
      tables: [...tables],
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
