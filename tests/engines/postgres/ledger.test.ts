import { inject } from 'vitest';
import { openPostgresLedger } from '../../../engines/postgres/ledger.ts';
import { migrate } from '../../../migrations/migrate.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import { ledgerConformance } from '../../ports/ledger.case.ts';
import type { LedgerFixture } from '../../ports/ledger/fixture.ts';
import { databases } from './databases.ts';

const server = databases(inject('postgresUrl'));
let migrated: Promise<string> | undefined;

async function migratedDatabase(): Promise<string> {
  const url = await server.create();
  await migrate(url);
  return url;
}

async function open(): Promise<LedgerFixture> {
  migrated ??= migratedDatabase();
  const url = await server.create(await migrated);
  const ledgers: Ledger[] = [];
  const another = async (): Promise<Ledger> => {
    const ledger = await openPostgresLedger(url);
    ledgers.push(ledger);
    return ledger;
  };
  return {
    ledger: await another(),
    another,
    cut: () => server.cut(url),
    deadlocks: () => server.deadlocks(url),
    async [Symbol.asyncDispose]() {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
    },
  };
}

ledgerConformance('the Postgres ledger', open);
