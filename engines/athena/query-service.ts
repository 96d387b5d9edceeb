import { randomUUID } from 'node:crypto';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { Abortable, CallOptions } from '../../ports/abortable.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { PartitionLog } from '../../ports/ledger.ts';
import type { QueryColumn, QueryResult, QueryService } from '../../ports/query-service.ts';
import type { ResultValue } from '../../ports/sql-engine.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { athenaErrors, endedWithout, overCap, type PlaceOf, refusedQuery } from './errors.ts';
import { resultColumn, resultValue } from './result-values.ts';
import { bindStatement, type BoundStatement } from './statement.ts';

export interface AthenaQueryServiceOptions extends AwsOptions {
  readonly ledger: Pick<PartitionLog, 'tables'>;
  /** As the catalog's: a pipeline's tables are in the database `<prefix><pipeline>`. */
  readonly prefix: string;
  readonly workgroup: string;
  /** Where results are kept; the workgroup's own place unless given. */
  readonly outputLocation?: string;
  /** A query that reads more is stopped. The workgroup's `BytesScannedCutoffPerQuery` is the limit that holds to the byte; this one is looked at between two polls. */
  readonly maxScannedBytes?: number;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Athena's own limit. */
const pageRows = 1000;

/**
 * Answers queries by Athena, over what the catalog shows when Athena plans the query: each partition is one published version, but those of a publication
 * that is being brought in line may be of two. Athena does not tell which partitions it read, so there are no counts; `bytesScanned` is what it charges for.
 */
export function openAthenaQueryService(
  options: AthenaQueryServiceOptions,
): QueryService & { close(): Promise<void> } {
  return new AthenaQueryService(options);
}

/** Resolves after a while, or at once when the signal is aborted. */
function pause(ms: number, signal: Abortable | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) done();
  });
}

class AthenaQueryService implements QueryService {
  readonly #options: AthenaQueryServiceOptions;
  readonly #athena: AthenaClient;

  constructor(options: AthenaQueryServiceOptions) {
    this.#options = options;
    this.#athena = new AthenaClient(clientOptions(options));
  }

  async query(sql: string, options: CallOptions & { readonly limit?: number } = {}): Promise<QueryResult> {
    if (options.signal?.aborted === true) throw options.signal.reason;
    const known = (await this.#options.ledger.tables()).map(({ name }) => name);
    const statement = bindStatement(sql, known, this.#options.prefix);
    const id = await this.#start(statement);
    const execution = await this.#ended(id, statement.placeOf, options);
    const first = await this.#page(id, undefined);
    const columns = (first.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(resultColumn);
    return {
      columns,
      rows: this.#rows(id, columns, first, options),
      bytesScanned: execution.Statistics?.DataScannedInBytes ?? 0,
      partitions: null,
    };
  }

  async #start({ sql, tables, placeOf }: BoundStatement): Promise<string> {
    const { workgroup, outputLocation, prefix } = this.#options;
    const [table] = tables;
    try {
      const { QueryExecutionId } = await this.#athena.send(
        new StartQueryExecutionCommand({
          QueryString: sql,
          // A call that is sent again because its answer was lost starts no second query.
          ClientRequestToken: randomUUID(),
          WorkGroup: workgroup,
          QueryExecutionContext: {
            Catalog: 'AwsDataCatalog',
            ...(table === undefined ? {} : { Database: prefix + table.split('.')[0]!.toLowerCase() }),
          },
          ...(outputLocation === undefined
            ? {}
            : { ResultConfiguration: { OutputLocation: outputLocation } }),
        }),
      );
      return QueryExecutionId!;
    } catch (error) {
      const refused = error instanceof Error ? refusedQuery(error.message, placeOf) : null;
      throw refused ?? awsError(error, athenaErrors, 'athena:StartQueryExecution', `workgroup ${workgroup}`);
    }
  }

  /** The query once it has succeeded. Stops it when the caller gives up or it reads too much. */
  async #ended(id: string, placeOf: PlaceOf, { signal, beat }: CallOptions): Promise<QueryExecution> {
    const { maxScannedBytes } = this.#options;
    try {
      for (let wait = firstPauseMs; ; wait = Math.min(wait * 1.5, longestPauseMs)) {
        if (signal?.aborted === true) throw signal.reason;
        const execution = await this.#execution(id);
        const state = execution.Status?.State;
        if (state === 'SUCCEEDED') return execution;
        if (state === 'FAILED' || state === 'CANCELLED')
          throw endedWithout(execution, placeOf, maxScannedBytes);
        const scanned = execution.Statistics?.DataScannedInBytes ?? 0;
        if (maxScannedBytes !== undefined && scanned > maxScannedBytes) {
          await this.#stop(id);
          throw overCap(scanned, maxScannedBytes);
        }
        beat?.(`query ${id} ${state ?? ''}`);
        await pause(wait, signal);
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      await this.#stop(id);
      throw signal.reason;
    }
  }

  async #execution(id: string): Promise<QueryExecution> {
    try {
      const { QueryExecution } = await this.#athena.send(
        new GetQueryExecutionCommand({ QueryExecutionId: id }),
      );
      return QueryExecution!;
    } catch (error) {
      throw awsError(error, athenaErrors, 'athena:GetQueryExecution', `query ${id}`);
    }
  }

  /** Best effort: who gives up is told why it gave up, not that stopping failed. A query that is not stopped ends by itself. */
  async #stop(id: string): Promise<void> {
    await this.#athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id })).catch(() => undefined);
  }

  async #page(id: string, token: string | undefined): Promise<GetQueryResultsCommandOutput> {
    try {
      return await this.#athena.send(
        new GetQueryResultsCommand({
          QueryExecutionId: id,
          MaxResults: pageRows,
          ...(token === undefined ? {} : { NextToken: token }),
        }),
      );
    } catch (error) {
      if (error instanceof Error && error.name === 'InvalidRequestException')
        throw new TerminalError(
          {
            place: `query ${id}`,
            expected: 'its result, where Athena wrote it',
            found: error.message,
            remedy: 'The result was removed or has expired: ask again.',
          },
          { cause: error },
        );
      throw awsError(error, athenaErrors, 'athena:GetQueryResults', `query ${id}`);
    }
  }

  async *#rows(
    id: string,
    columns: readonly QueryColumn[],
    first: GetQueryResultsCommandOutput,
    { limit = Number.POSITIVE_INFINITY, signal }: CallOptions & { readonly limit?: number },
  ): AsyncIterable<readonly ResultValue[]> {
    let left = limit;
    for (let page = first; ; page = await this.#page(id, page.NextToken)) {
      // The first row of a select's first page holds the columns' names.
      const rows = (page.ResultSet?.Rows ?? []).slice(page === first ? 1 : 0);
      for (const { Data = [] } of rows) {
        if (left <= 0) return;
        left -= 1;
        yield columns.map(({ type }, at) => resultValue(Data[at] ?? {}, type));
      }
      if (page.NextToken === undefined || left <= 0) return;
      if (signal?.aborted === true) throw signal.reason;
    }
  }

  async close(): Promise<void> {
    this.#athena.destroy();
  }
}
