import type { Logger } from 'pino';
import type { Catalog } from '../ports/catalog.ts';
import type { Ledger } from '../ports/ledger.ts';

/** Brings in line what was published and the catalog was not told of: a publishing worker died, or the catalog was out of reach. */
export async function keepCatalog(
  ledger: Pick<Ledger, 'behind'>,
  catalog: Catalog,
  log: Pick<Logger, 'info'>,
  signal: AbortSignal,
): Promise<void> {
  const tables = await ledger.behind(catalog.name);
  if (tables.length === 0) return;
  const changes = await catalog.sync(tables, { signal, sinceLast: true });
  log.info({ catalog: catalog.name, tables, changes: changes.length }, 'brought the catalog in line');
}
