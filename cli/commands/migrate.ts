import { migrate as applyMigrations } from '../../migrations/migrate.ts';
import { clientConfig } from '../../engines/postgres/access.ts';
import { databaseAccess } from '../../workers/database-access.ts';
import { openLake } from '../../workers/open-lake.ts';
import type { Cli } from '../cli.ts';
import { withSession } from '../session.ts';

export async function migrate(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const config = cli.config();
  // The embedded ledger is migrated whenever it starts.
  const applied =
    config.connections['ledger'] === undefined
      ? await withSession(cli, { temporal: false }, async () => [])
      : await applyMigrations(clientConfig(await databaseAccess(config, cli.inputs.env, 'ledger')));
  const lake = await openLake(config, cli.inputs.env);
  const prepared = await lake.prepare().finally(async () => lake.close());
  if (options.json) return cli.print(JSON.stringify({ applied, prepared }));
  cli.print(applied.length === 0 ? 'The ledger is up to date.' : `Applied: ${applied.join(', ')}.`);
  for (const line of prepared) cli.print(line);
}
