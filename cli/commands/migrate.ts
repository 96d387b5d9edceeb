import { migrate as applyMigrations } from '../../migrations/migrate.ts';
import { clientConfig } from '../../engines/postgres/access.ts';
import { databaseAccess } from '../../workers/database-access.ts';
import type { Cli } from '../cli.ts';
import { withSession } from '../session.ts';

export async function migrate(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const config = cli.config();
  // The embedded ledger is migrated whenever it starts.
  const applied =
    config.connections['ledger'] === undefined
      ? await withSession(cli, { temporal: false }, async () => [])
      : await applyMigrations(clientConfig(await databaseAccess(config, cli.inputs.env, 'ledger')));
  if (options.json) cli.print(JSON.stringify({ applied }));
  else cli.print(applied.length === 0 ? 'The ledger is up to date.' : `Applied: ${applied.join(', ')}.`);
}
