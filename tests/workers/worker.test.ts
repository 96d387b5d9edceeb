import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { beforeAll, expect, inject, test } from 'vitest';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { migrate } from '../../migrations/migrate.ts';
import { runResult, startRun } from '../../workers/client.ts';
import { temporalUiLink } from '../../workers/temporal-ui.ts';
import { compileDefinitions, loadDefinitions } from '../../workers/definitions.ts';
import { registerSearchAttributes, searchAttributes } from '../../workers/search-attributes.ts';
import { openWorker } from '../../workers/worker.ts';
import { createDatabase } from '../support/database.ts';
import { eventually } from '../support/processes.ts';
import { temporaryFolder } from '../workflows/harness.ts';
import { dag, portsWith, quietRuntime } from '../workflows/parts.ts';

beforeAll(quietRuntime);

const address = inject('temporalAddress');

/** A namespace that knows nothing of Ingot. */
async function freshNamespace(connection: Connection): Promise<string> {
  const namespace = `fresh-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await eventually('the namespace', () =>
    connection.operatorService.listSearchAttributes({ namespace }).then(
      () => true,
      () => null,
    ),
  );
  return namespace;
}

test('search attributes are added once, by whoever comes first, and can be used then', async () => {
  const connection = await Connection.connect({ address });
  const namespace = await freshNamespace(connection);
  await Promise.all([
    registerSearchAttributes(connection, namespace),
    registerSearchAttributes(connection, namespace),
  ]);
  await registerSearchAttributes(connection, namespace);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(searchAttributes)));
  await connection.close();
});

test('a worker makes a fresh namespace ready and runs a DAG there', async () => {
  const connection = await Connection.connect({ address });
  const namespace = await freshNamespace(connection);
  const url = await createDatabase(inject('postgresUrl'));
  await migrate(url);
  const ledger = await openPostgresLedger(url);
  await using folder = await temporaryFolder();
  const worker = await openWorker({
    connection: { address },
    namespace,
    taskQueue: 'ingot',
    definitions: compileDefinitions([dag('small', {}, ({ task }) => void task('only', () => 1))]),
    ports: portsWith(ledger),
    build: 'test',
    cacheFolder: folder.path,
  });
  const ended = worker.run();
  const client = new Client({ connection, namespace });
  const interval = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
  const run = await startRun(client, { taskQueue: 'ingot', dagId: 'small', interval, type: 'manual' });
  expect(await runResult(client, run)).toMatchObject({ state: 'success' });
  worker.shutdown();
  worker.shutdown();
  await ended;
  await ledger.close();
  await connection.close();
});

test('every problem of every DAG is reported at once', () => {
  const cyclic = dag('cyclic', {}, ({ task }) => {
    const a = task('a', () => 1);
    const b = task('b', () => 1).after(a);
    a.after(b);
  });
  const nameless = dag('bad name', { schedule: 'whenever' }, ({ task }) => void task('only', () => 1));
  const good = dag('good', {}, ({ task }) => void task('only', () => 1));
  expect(() => compileDefinitions([cyclic, nameless, good, good])).toThrow(
    /dag cyclic[^]*dag bad name[^]*dag good: expected every DAG id once/,
  );
});

test('definitions come from modules that export dags, and a module that does not is named', async () => {
  await using folder = await temporaryFolder();
  const own = join(folder.path, 'own.ts');
  await writeFile(
    own,
    `import { createDagFactory } from ${JSON.stringify(join(import.meta.dirname, '../../dag/builder.ts'))};
export const dags = [createDagFactory()('own', {}, ({ task }) => { task('only', () => 1); })];\n`,
  );
  const loaded = await loadDefinitions([own]);
  expect([...loaded.keys()]).toEqual(expect.arrayContaining(['own', 'payments', 'customer_purchases']));
  const other = join(folder.path, 'other.ts');
  await writeFile(other, 'export const dag = 1;\n');
  const absent = join(folder.path, 'absent.ts');
  await expect(loadDefinitions([other, absent])).rejects.toThrow(
    /other\.ts: expected an export `dags`[^]*absent\.ts: expected a module that can be loaded/,
  );
});

test('a link leads to the page of a run', () => {
  const run = { workflowId: 'payments-2026-01-02T00:00:00Z', runId: 'abc' };
  expect(temporalUiLink('http://127.0.0.1:8233/', 'default', run)).toBe(
    'http://127.0.0.1:8233/namespaces/default/workflows/payments-2026-01-02T00%3A00%3A00Z/abc/history',
  );
});
