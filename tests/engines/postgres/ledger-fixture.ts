import { openPostgresLedger } from '../../../engines/postgres/ledger.ts';
import { migrate } from '../../../migrations/migrate.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import type { LedgerFixture } from '../../ports/ledger/fixture.ts';
import { databases } from './databases.ts';

export interface PostgresLedgerFixture extends LedgerFixture {
  readonly url: string;
}

/** Opens empty Postgres ledgers, each in a copy of one migrated database. */
export function ledgersOn(postgresUrl: string): () => Promise<PostgresLedgerFixture> {
  const server = databases(postgresUrl);
  let template: Promise<string> | undefined;
  const migrated = async (): Promise<string> => {
    const url = await server.create();
    await migrate(url);
    return url;
  };
  return async () => {
    template ??= migrated();
    const url = await server.create(await template);
    const ledgers: Ledger[] = [];
    const another = async (): Promise<Ledger> => {
      const ledger = await openPostgresLedger(url);
      ledgers.push(ledger);
      return ledger;
    };
    return {
      url,
      ledger: await another(),
      another,
      cut: () => server.cut(url),
      deadlocks: () => server.deadlocks(url),
      async [Symbol.asyncDispose]() {
        await Promise.all(ledgers.map((ledger) => ledger.close()));
      },
    };
  };
}
