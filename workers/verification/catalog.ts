import { removeDatabase } from '../../engines/glue/clean-up.ts';
import type { Catalog, CatalogChange } from '../../ports/catalog.ts';
import { awsOptions } from '../aws-watching.ts';
import { unexpected } from './outcome.ts';
import { days } from './verified-ledger.ts';
import type { Verification, Verify } from './verification.ts';

function text(changes: readonly CatalogChange[]): string {
  return changes.map(({ action, partition }) => `${action} ${partition ?? 'table'}`).join(', ') || 'nothing';
}

async function synced(catalog: Catalog, expected: string): Promise<string> {
  const found = text(await catalog.sync([days.name]));
  if (found !== expected) throw unexpected(expected, found);
  return found;
}

/** A new version of one day: one row fewer. */
async function newVersion({ sql, ledger }: Verification): Promise<void> {
  const select = `select i as n, cast(i as decimal(18,2)) as amount, 'new' as word, date '2026-01-02' as day from range(99) r(i)`;
  const prefix = 'data/silver/checked/days/2';
  const { outputs } = await sql.run({
    id: 'verify.version/2/1',
    inputs: [],
    inline: [],
    steps: [],
    outputs: [{ name: 'days', select, columns: days.columns, partitionBy: ['day'], prefix }],
    measures: [],
  });
  ledger.publish(outputs['days']!);
}

/** A table, its partitions, a partition that moves, and that nothing is left to do then. */
export const verifyCatalog: Verify = async (verification, checks) => {
  const { lake, ledger, written, config } = verification;
  if (written.length === 0) return checks.skip('the Glue catalog', 'DuckDB wrote no partitions');
  const database = `${config.databasePrefix}checked`;
  verification.cleanUp(`the database ${database}`, () => removeDatabase(awsOptions(config), database));
  const catalog = (await lake.openCatalog(ledger))!;
  try {
    const all = ['create table', ...['01', '02', '03'].map((day) => `create day=2026-01-${day}`)].join(', ');
    ledger.publish(written);
    await checks.check('a table of 3 partitions', all, () => synced(catalog, all));
    const moved = 'update day=2026-01-02';
    await checks.check('a new version of one partition', moved, async () => {
      await newVersion(verification);
      return synced(catalog, moved);
    });
    await checks.check('the catalog is as the ledger', 'nothing', () => synced(catalog, 'nothing'));
  } finally {
    await catalog.close();
  }
};

/** Last: Athena reads the table before. */
export const verifyRemoval: Verify = async ({ lake, ledger }, checks) => {
  if ((await ledger.tables()).length === 0) return;
  ledger.drop();
  const catalog = (await lake.openCatalog(ledger))!;
  try {
    await checks.check('a table that is gone', 'remove table', () => synced(catalog, 'remove table'));
  } finally {
    await catalog.close();
  }
};
