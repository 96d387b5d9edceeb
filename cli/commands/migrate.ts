import { migrate as applyMigrations } from '../../migrations/migrate.ts';
import { clientConfig } from '../../engines/postgres/access.ts';
import type { Config } from '../../workers/config.ts';
import { databaseAccess } from '../../workers/database-access.ts';
import { openLake } from '../../workers/open-lake.ts';
import type { Cli } from '../cli.ts';
import { withSession } from '../session.ts';

/** What the lake itself needs, such as a Glue job. */
async function prepareLake(config: Config, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const lake = await openLake(config, env);
  try {
    return await lake.prepare();
  } finally {
    await lake.close();
  }
}

export async function migrate(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const config = cli.config();
  // The embedded ledger is migrated whenever it starts.
  const applied =
    config.connections['ledger'] === undefined
      ? await withSession(cli, { temporal: false }, async () => [])
      : await applyMigrations(clientConfig(await databaseAccess(config, cli.inputs.env, 'ledger')));
  const prepared = await prepareLake(config, cli.inputs.env);
  if (options.json) return cli.print(JSON.stringify({ applied, prepared }));
  cli.print(applied.length === 0 ? 'The ledger is up to date.' : `Applied: ${applied.join(', ')}.`);
  for (const line of prepared) cli.print(line);
}
