import {
  BatchGetPartitionCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetTableCommand,
  type GlueClient,
  type Partition,
  type Table,
  type TableInput,
  UpdateTableCommand,
  paginateGetDatabases,
  paginateGetPartitions,
  paginateGetTables,
} from '@aws-sdk/client-glue';
import { awsError } from '../aws/errors.ts';
import { catalogErrors } from './catalog-errors.ts';

/** Glue's own limit for one call. */
const readBatch = 1000;

export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

/** Null in place of Glue's word for what is not there. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isNamed(error, 'EntityNotFoundException')) return null;
    throw error;
  }
}

export interface TablePlace {
  readonly database: string;
  readonly table: string;
}

/** The calls that concern databases and tables, with the product's own errors. */
export class CatalogClient {
  readonly glue: GlueClient;

  constructor(glue: GlueClient) {
    this.glue = glue;
  }

  async answer<T>(action: string, place: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw awsError(error, catalogErrors, `glue:${action}`, place);
    }
  }

  async table({ database, table }: TablePlace): Promise<Table | null> {
    const found = await this.answer('GetTable', `${database}.${table}`, () =>
      orNull(this.glue.send(new GetTableCommand({ DatabaseName: database, Name: table }))),
    );
    return found?.Table ?? null;
  }

  async ensureDatabase(name: string, description: string): Promise<void> {
    const found = await this.answer('GetDatabase', name, () =>
      orNull(this.glue.send(new GetDatabaseCommand({ Name: name }))),
    );
    if (found !== null) return;
    await this.answer('CreateDatabase', name, async () => {
      try {
        await this.glue.send(
          new CreateDatabaseCommand({ DatabaseInput: { Name: name, Description: description } }),
        );
      } catch (error) {
        if (!isNamed(error, 'AlreadyExistsException')) throw error;
      }
    });
  }

  /** False when somebody else made it, or changed it, since it was read. */
  async write({ database, table }: TablePlace, input: TableInput, read: Table | null): Promise<boolean> {
    const isCreation = read === null;
    return this.answer(isCreation ? 'CreateTable' : 'UpdateTable', `${database}.${table}`, async () => {
      try {
        if (isCreation)
          await this.glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: input }));
        else
          await this.glue.send(
            new UpdateTableCommand({
              DatabaseName: database,
              // Parameters of others, such as Athena's own, stay.
              TableInput: { ...input, Parameters: { ...read.Parameters, ...input.Parameters } },
              SkipArchive: true,
              ...(read.VersionId === undefined ? {} : { VersionId: read.VersionId }),
            }),
          );
        return true;
      } catch (error) {
        const isOvertaken = isNamed(
          error,
          'AlreadyExistsException',
          'ConcurrentModificationException',
          'VersionMismatchException',
        );
        if (isOvertaken || (!isCreation && isNamed(error, 'EntityNotFoundException'))) return false;
        throw error;
      }
    });
  }

  async remove({ database, table }: TablePlace): Promise<void> {
    await this.answer('DeleteTable', `${database}.${table}`, () =>
      orNull(this.glue.send(new DeleteTableCommand({ DatabaseName: database, Name: table }))),
    );
  }

  async partitions({ database, table }: TablePlace): Promise<readonly Partition[]> {
    return this.answer('GetPartitions', `${database}.${table}`, async () => {
      const pages = paginateGetPartitions(
        { client: this.glue },
        { DatabaseName: database, TableName: table },
      );
      const found: Partition[] = [];
      for await (const page of pages) found.push(...(page.Partitions ?? []));
      return found;
    });
  }

  /** Those of the partitions that are there. Glue names what it did not return, be it absent or left for another call: asked again while that brings any. */
  async somePartitions(
    { database, table }: TablePlace,
    wanted: readonly (readonly string[])[],
  ): Promise<readonly Partition[]> {
    const found: Partition[] = [];
    let left = wanted.map((values) => ({ Values: [...values] }));
    while (left.length > 0) {
      const some = left.splice(0, readBatch);
      const { Partitions = [], UnprocessedKeys = [] } = await this.answer(
        'BatchGetPartition',
        `${database}.${table}`,
        () =>
          this.glue.send(
            new BatchGetPartitionCommand({ DatabaseName: database, TableName: table, PartitionsToGet: some }),
          ),
      );
      found.push(...Partitions);
      if (Partitions.length > 0) left = [...left, ...UnprocessedKeys.map(({ Values = [] }) => ({ Values }))];
    }
    return found;
  }

  async tables(database: string): Promise<readonly Table[]> {
    return this.answer('GetTables', database, async () => {
      const found: Table[] = [];
      const pages = paginateGetTables({ client: this.glue }, { DatabaseName: database });
      try {
        for await (const page of pages) found.push(...(page.TableList ?? []));
      } catch (error) {
        if (!isNamed(error, 'EntityNotFoundException')) throw error;
      }
      return found;
    });
  }

  async databases(prefix: string): Promise<readonly string[]> {
    return this.answer('GetDatabases', `databases ${prefix}*`, async () => {
      const found: string[] = [];
      for await (const page of paginateGetDatabases({ client: this.glue }, {}))
        found.push(...(page.DatabaseList ?? []).map(({ Name }) => Name!));
      return found.filter((name) => name.startsWith(prefix));
    });
  }
}
