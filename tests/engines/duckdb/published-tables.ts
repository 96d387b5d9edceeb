import { randomUUID } from 'node:crypto';
import { partitionText, type Table } from '../../../dag/relation.ts';
import {
  type DuckDbQueryServiceOptions,
  openDuckDbQueryService,
} from '../../../engines/duckdb/query-service.ts';
import type { PartitionLog, PartitionVersion } from '../../../ports/ledger.ts';
import type { SqlEngine } from '../../../ports/sql-engine.ts';
import { job } from '../../ports/sql-engine/fixture.ts';

/** The two questions a query asks of the ledger, answered from memory. */
class PublishedTables implements Pick<PartitionLog, 'tables' | 'snapshot'> {
  readonly published = new Map<
    string,
    { readonly table: Table; readonly partitions: readonly PartitionVersion[] }
  >();

  async tables(): ReturnType<PartitionLog['tables']> {
    return [...this.published.values()].map(({ table, partitions }) => ({
      ...table,
      partitions: partitions.length,
      rows: 0,
      bytes: 0,
      updatedAt: null,
    }));
  }

  async snapshot(wanted: Parameters<PartitionLog['snapshot']>[0]): ReturnType<PartitionLog['snapshot']> {
    return {
      snapshot: { parts: [] },
      partitions: wanted.flatMap(({ selector }) => this.published.get(selector.table)!.partitions),
    };
  }
}

/** A query service over what `publish` writes with an opened engine, which goes with it. */
export async function openedQueries({
  engine,
  objects,
  spillFolder,
  s3,
  ...rest
}: AsyncDisposable & { readonly engine: SqlEngine; readonly spillFolder: string } & Pick<
    DuckDbQueryServiceOptions,
    'objects' | 's3'
  >) {
  const ledger = new PublishedTables();
  const service = await openDuckDbQueryService({
    ledger,
    objects,
    memoryLimitBytes: 1 << 30,
    spillFolder,
    threads: 2,
    ...(s3 === undefined ? {} : { s3 }),
  });
  const publish = async (table: Table, select: string) => {
    const result = await engine.run(
      job({
        outputs: [
          {
            name: 'out',
            select,
            columns: table.columns,
            partitionBy: table.partitionBy,
            prefix: `${table.name}/${randomUUID()}`,
          },
        ],
      }),
    );
    const partitions = result.outputs['out']!.map((written, version) => ({
      ...written,
      table: table.name,
      partitionText: partitionText(table, written.partition),
      version,
      publicationId: version,
    }));
    ledger.published.set(table.name, { table, partitions });
  };
  return {
    service,
    publish,
    ledger,
    objects,
    async [Symbol.asyncDispose]() {
      await service.close();
      await rest[Symbol.asyncDispose]();
    },
  };
}
