import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import { partitionText, type Table } from '../../../dag/relation.ts';
import {
  type AthenaQueryServiceOptions,
  openAthenaQueryService,
} from '../../../engines/athena/query-service.ts';
import { openGlueCatalog } from '../../../engines/glue/catalog.ts';
import { openS3ObjectStore } from '../../../engines/s3/object-store.ts';
import type { CatalogLog, PublishedTable } from '../../../ports/catalog-log.ts';
import type { PartitionLog } from '../../../ports/ledger.ts';
import { job } from '../../ports/sql-engine/fixture.ts';
import { emulated } from '../../aws/emulated.ts';
import { s3OptionsOf } from '../../aws/clients.ts';
import { awsEndpoint } from '../aws/endpoint.ts';
import { openedEngine } from '../duckdb/opened.ts';

/** What catalog and queries ask of the ledger, answered from memory; turns are not needed by one test alone. */
class PublishedTables implements CatalogLog, Pick<PartitionLog, 'tables'> {
  readonly published = new Map<string, PublishedTable>();

  async tables(): ReturnType<PartitionLog['tables']> {
    return [...this.published.values()].map(({ table, partitions }) => ({
      ...table,
      partitions: partitions.length,
      rows: 0,
      bytes: 0,
      updatedAt: null,
    }));
  }

  async inTurn<Result>(_: string, table: string, work: Parameters<CatalogLog['inTurn']>[2]): Promise<Result> {
    return (await work(this.published.get(table) ?? null, new AbortController().signal)) as Result;
  }

  async behind(): Promise<readonly string[]> {
    return [];
  }

  async synced(): Promise<void> {}
}

/** Athena over a bucket of its own. Rows are written by DuckDB and shown by the catalog, as on AWS. */
export async function openedAthena(options: Partial<AthenaQueryServiceOptions> = {}) {
  const bed = inject('aws')!;
  const { region } = emulated(bed);
  const endpoint = await awsEndpoint();
  const bucket = `athena-${randomUUID()}`;
  const client = new S3Client(s3OptionsOf(bed));
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const { engine, objects: local, ...rest } = await openedEngine();
  const objects = await openS3ObjectStore({ bucket, prefix: 'lake', region, endpoint: bed.endpoint });
  const ledger = new PublishedTables();
  const prefix = `t${randomUUID().slice(0, 8)}_`;
  const catalog = await openGlueCatalog({ prefix, ledger, objects, endpoint, region });
  const service = openAthenaQueryService({
    ledger,
    prefix,
    workgroup: 'primary',
    outputLocation: `s3://${bucket}/results/`,
    endpoint,
    region,
    ...options,
  });
  let versions = 0;
  const publish = async (table: Table, select: string): Promise<void> => {
    const result = await engine.run(
      job({
        outputs: [
          {
            name: 'out',
            select,
            columns: table.columns,
            partitionBy: table.partitionBy,
            prefix: `data/${table.zone}/${table.name.replace('.', '/')}/run-1/load/${(versions += 1)}.1/`,
          },
        ],
      }),
    );
    const written = result.outputs['out']!;
    for (const { key } of written.flatMap(({ files }) => files)) await objects.put(key, local.get(key));
    const partitions = written.map((partition) => ({
      ...partition,
      table: table.name,
      partitionText: partitionText(table, partition.partition),
      version: (versions += 1),
      publicationId: versions,
    }));
    ledger.published.set(table.name, {
      table,
      publication: versions,
      partitions,
      synced: null,
      removed: [],
    });
    await catalog.sync([table.name]);
  };
  return {
    service,
    publish,
    catalog,
    objects,
    bucket,
    prefix,
    async [Symbol.asyncDispose]() {
      await service.close();
      await catalog.close();
      await objects.close();
      await rest[Symbol.asyncDispose]();
    },
  };
}
