import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { migrate } from '../../migrations/migrate.ts';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import { databases } from '../engines/postgres/databases.ts';

const server = databases(inject('postgresUrl'));

test('an empty database is brought up to the newest migration, and a second call has nothing to do', async () => {
  const url = await server.create();
  expect(await migrate(url)).not.toEqual([]);
  expect(await migrate(url)).toEqual([]);
  const ledger = await openPostgresLedger(url);
  expect(await ledger.runs({})).toEqual([]);
  await ledger.close();
});

test('processes that migrate at the same moment apply every migration once', async () => {
  const url = await server.create();
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
  const names = await server.query<{ name: string }>(url, 'select name from ingot.migrations order by id');
  expect(applied.flat().sort()).toEqual(names.map((row) => row.name).sort());
});

test('a lock left behind by a killed process does not stop the next one', async () => {
  const url = await server.create();
  await migrate(url);
  await server.query(url, 'update ingot.migrations_lock set is_locked = 1');
  expect(await migrate(url)).toEqual([]);
  await server.query(url, 'drop schema ingot cascade');
  await server.query(url, 'create schema ingot');
  expect(await migrate(url)).not.toEqual([]);
});

test('a database that is newer than the code is left alone, by migrate and by the ledger', async () => {
  const url = await server.create();
  await migrate(url);
  await server.query(
    url,
    `insert into ingot.migrations (name, batch, migration_time) values ('9999-later', 2, now())`,
  );
  await expect(migrate(url)).rejects.toThrow(TerminalError);
  await expect(migrate(url)).rejects.toThrow(/9999-later/);
  await server.query(url, 'update ingot.format set number = number + 1');
  await expect(openPostgresLedger(url)).rejects.toThrow(/format 9; found format 10/);
});

test('a database without a ledger is refused with what to do', async () => {
  const url = await server.create();
  await expect(openPostgresLedger(url)).rejects.toThrow(TerminalError);
  await expect(openPostgresLedger(url)).rejects.toThrow(/no ledger.*ingot migrate/);
});

test('nothing that goes wrong with a connection shows its password', async () => {
  const secret = randomUUID();
  const good = new URL(inject('postgresUrl'));
  good.password = secret;
  const closed = new URL(good);
  closed.port = '1';
  const absent = new URL(inject('postgresUrl'));
  absent.pathname = '/no_such_database';
  const cases = [
    { url: good.href, kind: TerminalError },
    { url: closed.href, kind: RetryableError },
    { url: `postgres://user:${secret}@[half/x`, kind: TerminalError },
    { url: absent.href, kind: TerminalError },
  ];
  for (const { url, kind } of cases)
    for (const open of [openPostgresLedger, migrate]) {
      const error: unknown = await open(url).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(kind);
      expect(
        JSON.stringify([error, String(error), (error as Error).stack, (error as Error).cause]),
      ).not.toContain(secret);
    }
});
