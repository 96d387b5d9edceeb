import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetPartitionsCommand, GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { inject } from 'vitest';
import { openFilesystemObjectStore } from '../../../engines/filesystem/object-store.ts';
import { openGlueCatalog } from '../../../engines/glue/catalog.ts';
import type { PartitionValues, Table } from '../../../dag/relation.ts';
import type { Ledger, OutputPartition } from '../../../ports/ledger.ts';
import { manifest, openRun, output, request, writes } from '../../ports/ledger/fixture.ts';
import { awsEndpoint } from '../aws/endpoint.ts';
import { ledgersOn } from '../postgres/ledger-fixture.ts';

const openLedger = ledgersOn(inject('postgresUrl'));

/** Credentials of the emulator, which takes any. */
export function useTestCredentials(): void {
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  process.env['AWS_REGION'] = 'us-east-1';
}

/** What Glue shows of a table: location per partition, and the marks. */
export interface Shown {
  readonly location: string;
  readonly version: string | undefined;
  readonly rows: string | undefined;
}

/** An empty ledger, an empty lake and a catalog of its own that follows them. */
export async function openFollowed(endpoint?: string) {
  useTestCredentials();
  const fixture = await openLedger();
  const folder = await mkdtemp(join(tmpdir(), 'ingot-catalog-'));
  const files = await openFilesystemObjectStore(folder);
  const prefix = `t${randomUUID().slice(0, 8)}_`;
  const objects = { list: files.list.bind(files), location: (key: string) => `s3://${prefix}lake/${key}` };
  const service = endpoint ?? (await awsEndpoint());
  const glue = new GlueClient({ endpoint: await awsEndpoint() });
  const opened: { close(): Promise<void> }[] = [];
  const catalogOf = async (ledger: Ledger, at = service) => {
    const catalog = await openGlueCatalog({ prefix, ledger, objects, endpoint: at });
    opened.push(catalog);
    return catalog;
  };
  const { ledger } = fixture;
  const runId = await openRun(ledger);
  let tasks = 0;

  /** One object per file, where a task of a run would write it. */
  async function write(table: Table, partition: PartitionValues, names = ['data_0.parquet']) {
    const text = table.partitionBy
      .map((column) => `${column}=${encodeURIComponent(partition[column]!)}/`)
      .join('');
    const base = `data/${table.zone}/${table.name.replace('.', '/')}/${runId}/load/${(tasks += 1)}.1/${text}`;
    return Promise.all(
      names.map(async (name) => {
        await files.put(base + name, Buffer.from('rows'));
        return { key: base + name, bytes: 4, rows: 2 };
      }),
    );
  }

  async function publish(
    table: Table,
    partitions: readonly PartitionValues[],
    overrides: Partial<OutputPartition> = {},
    through: Ledger = ledger,
  ) {
    await through.registerTables([table]);
    const selectors = partitions.map((values) => ({ table: table.name, values }));
    const { snapshot } = await through.snapshot(selectors.map(writes));
    const outputs = await Promise.all(
      selectors.map(async (selector) =>
        output(selector, {
          files: overrides.files ?? (await write(table, selector.values)),
          rows: 2,
          bytes: 4,
          ...overrides,
        }),
      ),
    );
    return through.publish(request(runId, manifest(snapshot, outputs), { taskId: `load-${(tasks += 1)}` }));
  }

  async function shown(table: Table): Promise<Record<string, Shown> | null> {
    const [DatabaseName, Name] = [prefix + table.name.split('.')[0]!, table.name.split('.')[1]!];
    const found = await glue.send(new GetTableCommand({ DatabaseName, Name })).catch(() => null);
    if (found === null) return null;
    const entries =
      table.partitionBy.length === 0
        ? [{ Values: [], ...found.Table! }]
        : ((await glue.send(new GetPartitionsCommand({ DatabaseName, TableName: Name }))).Partitions ?? []);
    return Object.fromEntries(
      entries.map(({ Values = [], StorageDescriptor, Parameters }) => [
        Values.join('/'),
        {
          location: StorageDescriptor!.Location!,
          version: Parameters?.['ingot.version'],
          rows: Parameters?.['ingot.rows'],
        },
      ]),
    );
  }

  /** What Glue should show, from the ledger alone. */
  async function expected(table: Table): Promise<Record<string, Shown>> {
    return Object.fromEntries(
      (await ledger.partitions(table.name)).map(({ partition, files: [first], version, rows }) => [
        table.partitionBy.map((column) => partition[column]).join('/'),
        {
          location: objects.location(
            first === undefined ? 'data/_empty/' : first.key.slice(0, first.key.lastIndexOf('/') + 1),
          ),
          version: String(version),
          rows: String(rows),
        },
      ]),
    );
  }

  return {
    ...fixture,
    ledger,
    files,
    glue,
    prefix,
    objects,
    catalog: await catalogOf(ledger),
    catalogOf,
    write,
    publish,
    shown,
    expected,
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each.close();
      glue.destroy();
      await fixture[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
