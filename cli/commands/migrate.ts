import { migrate as applyMigrations } from '../../migrations/migrate.ts';
import { resolveSecret } from '../../workers/config/secret.ts';
import type { Cli } from '../cli.ts';
import { withSession } from '../session.ts';

export async function migrate(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const given = cli.config().connections['ledger'];
  // The embedded ledger is migrated whenever it starts.
  const applied =
    given === undefined
      ? await withSession(cli, { temporal: false }, async () => [])
      : await applyMigrations(await resolveSecret(given, cli.inputs.env, 'the URL of the ledger'));
  if (options.json) cli.print(JSON.stringify({ applied }));
  else cli.print(applied.length === 0 ? 'The ledger is up to date.' : `Applied: ${applied.join(', ')}.`);
}
