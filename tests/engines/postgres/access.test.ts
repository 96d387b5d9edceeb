import type { TLSSocket } from 'node:tls';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { clientConfig, type DatabaseAccess } from '../../../engines/postgres/access.ts';
import { openDatabase } from '../../../engines/postgres/database.ts';
import { openPostgresLedger } from '../../../engines/postgres/ledger.ts';
import { migrate } from '../../../migrations/migrate.ts';
import { TerminalError } from '../../../ports/errors.ts';
import { openPostgresServer, type PostgresServer } from '../../../workers/stack/postgres-server.ts';
import { certifyServer, createAuthority, type Certified } from '../../support/certificates.ts';
import { databases } from './databases.ts';

async function failure(access: DatabaseAccess): Promise<Error> {
  const db = openDatabase(access, {}, 1);
  onTestFinished(() => db.close());
  return db.query('select 1').then(
    () => new Error('it was let in'),
    (error: unknown) => error as Error,
  );
}

test('what sslmode says is taken as libpq means it, and what would be half a promise is refused', () => {
  const ssl = (query: string, more: Partial<DatabaseAccess> = {}): unknown =>
    clientConfig({ url: `postgres://ann@db.example/shop${query}`, ...more }).ssl;
  expect(ssl('')).toBeUndefined();
  expect(ssl('?sslmode=disable')).toBe(false);
  expect(ssl('?sslmode=require')).toEqual({ rejectUnauthorized: false });
  expect(ssl('?sslmode=verify-full')).toEqual({ host: 'db.example' });
  expect(ssl('', { ca: 'PEM' })).toEqual({ ca: 'PEM', host: 'db.example' });
  expect(ssl('', { password: async () => 'token' })).toEqual({ host: 'db.example' });
  expect(ssl('?sslmode=require', { ca: 'PEM' })).toMatchObject({ ca: 'PEM' });
  expect(() => ssl('?sslmode=prefer')).toThrow(/db\.example:5432\/shop: expected sslmode disable, require/);
  expect(() => ssl('?sslmode=disable', { ca: 'PEM' })).toThrow(/expected sslmode require, verify-ca/);
  expect(clientConfig('postgres://ann:pw@h/d?application_name=x&sslmode=require').connectionString).toBe(
    'postgres://ann:pw@h/d?application_name=x',
  );
  expect(() => clientConfig('postgres://ann:hunter2@h:port/d')).toThrow(
    /^expected a connection string.*parsed/,
  );
});

describe('a server with TLS', () => {
  const authority = createAuthority('Test authority');
  let folder: string;
  let server: PostgresServer;

  async function show({ key, certificate }: Certified): Promise<void> {
    const [{ data_directory: data } = { data_directory: '' }] = await databases(
      server.url('postgres'),
    ).query<{
      data_directory: string;
    }>(server.url('postgres'), 'show data_directory');
    const { uid, gid } = await stat(data);
    for (const [name, content] of Object.entries({ 'server.key': key, 'server.crt': certificate })) {
      await writeFile(join(data, name), content, { mode: 0o600 });
      await chown(join(data, name), uid, gid);
    }
    const admin = new pg.Client(server.url('postgres'));
    await admin.connect();
    await admin.query('alter system set ssl = on');
    await admin.query('select pg_reload_conf()');
    await admin.end();
    const expected = new RegExp(certificate.split('\n')[3]!.replaceAll(/[+/]/g, '.'));
    await vi.waitFor(async () => expect(await shownCertificate()).toMatch(expected), { timeout: 20_000 });
  }

  /** What the server shows to a new connection, as base64. */
  async function shownCertificate(): Promise<string> {
    const client = new pg.Client({
      connectionString: server.url('postgres'),
      ssl: { rejectUnauthorized: false },
    });
    await client.connect();
    try {
      const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
      return (
        stream
          .getPeerCertificate()
          .raw.toString('base64')
          .match(/.{1,64}/g) ?? []
      ).join('\n');
    } finally {
      await client.end();
    }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-tls-'));
    await chmod(folder, 0o755);
    server = await openPostgresServer({ folder: join(folder, 'postgres'), durable: false });
    await show(certifyServer('127.0.0.1', authority));
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('that proves itself by the authority is used, by migrations and the ledger too', async () => {
    const access = { url: server.url('postgres'), ca: authority.certificate };
    const db = openDatabase(access, {}, 1);
    onTestFinished(() => db.close());
    expect(await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toEqual([
      { ssl: true },
    ]);
    await migrate(clientConfig(access));
    const ledger = await openPostgresLedger(access);
    expect(await ledger.tables()).toEqual([]);
    await ledger.close();
  });

  test('asks for a password of its own at every new connection, one beside the pool too', async () => {
    const admin = databases(server.url('postgres'));
    const asAdmin = (sql: string): Promise<unknown> => admin.query(server.url('postgres'), sql);
    const url = new URL(server.url('postgres'));
    url.username = 'ann';
    url.password = '';
    let current = '';
    const rotate = async (password: string): Promise<void> => {
      await asAdmin(`alter role ann password '${password}'`);
      current = password;
    };
    await asAdmin('create role ann login');
    const password = (): Promise<string> => Promise.resolve(current);
    const db = openDatabase({ url: url.href, ca: authority.certificate, password }, {}, 2);
    onTestFinished(() => db.close());
    await rotate('first token');
    const first = await db.pool.connect();
    await rotate('second token');
    const second = await db.pool.connect();
    await rotate('third token');
    const beside = new pg.Client(db.client);
    await beside.connect();
    for (const client of [first, second, beside])
      expect((await client.query('select current_user as role')).rows).toEqual([{ role: 'ann' }]);
    await beside.end();
    first.release();
    second.release(true);
    current = 'an old token';
    await expect(Promise.all([db.query('select 1'), db.query('select 2')])).rejects.toThrow(
      /28P01.*rds-db:connect/,
    );
  });

  test('that another authority vouches for, or none that is known, is refused with what to do', async () => {
    const stranger = createAuthority('Another authority');
    const url = server.url('postgres');
    for (const error of [
      await failure({ url, ca: stranger.certificate }),
      await failure({ url: `${url}?sslmode=verify-full` }),
      await failure({ url: `${url}?sslmode=verify-ca` }),
    ]) {
      expect(error).toBeInstanceOf(TerminalError);
      expect(error.message).toMatch(/proves who it is, over TLS; found .*connections\.<name>\.ca/);
      expect(error.message).not.toContain(new URL(url).password);
    }
  });

  test('that goes by another name is refused, unless only the authority is to be verified', async () => {
    await show(certifyServer('localhost', authority));
    const url = server.url('postgres');
    const error = await failure({ url, ca: authority.certificate });
    expect(error).toBeInstanceOf(TerminalError);
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    const db = openDatabase({ url: `${url}?sslmode=verify-ca`, ca: authority.certificate }, {}, 1);
    onTestFinished(() => db.close());
    expect(await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toEqual([
      { ssl: true },
    ]);
  });
});

test('a server without TLS is refused when it is to prove itself', async () => {
  const error = await failure({ url: inject('postgresUrl'), ca: createAuthority('any').certificate });
  expect(error).toBeInstanceOf(TerminalError);
  expect(error.message).toMatch(/does not support SSL.*Turn TLS on/);
});
