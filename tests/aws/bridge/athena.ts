import { randomUUID } from 'node:crypto';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { queryFailure } from './athena-errors.ts';
import { duckdbSql, runQuery, type QueryEngine, type QuerySpec } from './athena-queries.ts';
import { columnInfo, datums, writeResult, type QueryRows } from './athena-results.ts';
import { ServiceError, type Fields, type Handlers } from './call.ts';
import { s3Place } from './emulator-calls.ts';
import type { Holds } from './holds.ts';
import { fields, list, seconds, text, textOr } from './named-input.ts';

type State = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

interface Execution {
  readonly id: string;
  readonly input: Fields;
  readonly spec: QuerySpec;
  readonly location: string;
  readonly cutoffBytes: number;
  readonly submittedAt: number;
  readonly stop: AbortController;
  state: State;
  completedAt: number | null;
  failure: { readonly reason: string; readonly error?: Fields } | null;
  result: QueryRows | null;
  bytesScanned: number;
}

export interface AthenaOptions extends QueryEngine {
  readonly holds: Holds;
}

const pageRows = 1000;

function refused(message: string, code = 'INVALID_INPUT'): ServiceError {
  return new ServiceError('InvalidRequestException', message, { AthenaErrorCode: code });
}

function described(execution: Execution): Fields {
  const { input, submittedAt, completedAt, failure } = execution;
  const took = (completedAt ?? Date.now()) - submittedAt;
  return {
    QueryExecutionId: execution.id,
    Query: execution.spec.sql,
    StatementType: 'DML',
    SubstatementType: 'SELECT',
    ResultConfiguration: { ...fields(input, 'ResultConfiguration'), OutputLocation: execution.location },
    QueryExecutionContext: fields(input, 'QueryExecutionContext'),
    ...(execution.spec.parameters.length === 0 ? {} : { ExecutionParameters: execution.spec.parameters }),
    Status: {
      State: execution.state,
      SubmissionDateTime: seconds(submittedAt),
      ...(completedAt === null ? {} : { CompletionDateTime: seconds(completedAt) }),
      ...(failure === null ? {} : { StateChangeReason: failure.reason }),
      ...(failure?.error === undefined ? {} : { AthenaError: failure.error }),
    },
    Statistics: {
      EngineExecutionTimeInMillis: took,
      DataScannedInBytes: execution.bytesScanned,
      TotalExecutionTimeInMillis: took,
      QueryQueueTimeInMillis: 0,
      ServiceProcessingTimeInMillis: 0,
    },
    WorkGroup: textOr(input, 'WorkGroup', 'primary'),
    EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
  };
}

/** Athena over real data: the partitions that are registered, read by DuckDB. */
export class Athena {
  readonly #options: AthenaOptions;
  readonly #executions = new Map<string, Execution>();
  readonly #byToken = new Map<string, Execution>();

  constructor(options: AthenaOptions) {
    this.#options = options;
  }

  readonly handlers: Handlers = {
    'athena:StartQueryExecution': async (input) => ({ QueryExecutionId: (await this.#start(input)).id }),
    'athena:GetQueryExecution': (input) => ({ QueryExecution: described(this.#find(input)) }),
    'athena:BatchGetQueryExecution': (input) => {
      const ids = list<string>(input, 'QueryExecutionIds');
      const found = ids.map((id) => this.#executions.get(id)).filter((one) => one !== undefined);
      const missing = ids.filter((id) => !this.#executions.has(id));
      return {
        QueryExecutions: found.map(described),
        UnprocessedQueryExecutionIds: missing.map((id) => ({
          QueryExecutionId: id,
          ErrorCode: 'INVALID_INPUT',
        })),
      };
    },
    'athena:GetQueryResults': async (input) => await this.#page(input),
    'athena:StopQueryExecution': (input) => {
      const execution = this.#find(input);
      if (execution.completedAt === null) {
        this.#end(execution, 'CANCELLED', { reason: 'Query cancelled by user' });
        execution.stop.abort(new Error('stopped'));
      }
      return {};
    },
  };

  async close(): Promise<void> {
    for (const { stop } of this.#executions.values()) stop.abort(new Error('the test run ends'));
  }

  #find(input: Fields): Execution {
    const id = text(input, 'QueryExecutionId');
    const execution = this.#executions.get(id);
    if (execution === undefined) throw refused(`QueryExecution ${id} was not found`);
    return execution;
  }

  async #start(input: Fields): Promise<Execution> {
    const sql = text(input, 'QueryString');
    const token = textOr(input, 'ClientRequestToken', randomUUID());
    if (token.length < 32) throw refused('ClientRequestToken must have length greater than or equal to 32');
    const workGroup = await this.#workGroup(textOr(input, 'WorkGroup', 'primary'));
    // From here to the end without a pause: of two calls with one token the second finds the first.
    const before = this.#byToken.get(token);
    if (before !== undefined && before.spec.sql !== sql)
      throw refused('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH');
    if (before !== undefined) return before;
    duckdbSql(sql);
    const id = randomUUID();
    const execution: Execution = {
      id,
      input,
      spec: {
        sql,
        parameters: list<string>(input, 'ExecutionParameters'),
        database: textOr(fields(input, 'QueryExecutionContext'), 'Database', null),
      },
      location: `${outputFolder(input, workGroup)}${id}.csv`,
      cutoffBytes: Number(workGroup['BytesScannedCutoffPerQuery'] ?? Infinity),
      submittedAt: Date.now(),
      stop: new AbortController(),
      state: 'QUEUED',
      completedAt: null,
      failure: null,
      result: null,
      bytesScanned: 0,
    };
    this.#executions.set(id, execution);
    this.#byToken.set(token, execution);
    void this.#run(execution);
    return execution;
  }

  async #workGroup(name: string): Promise<Fields> {
    const { WorkGroup } = await this.#options.emulator
      .call('AmazonAthena.GetWorkGroup', { WorkGroup: name })
      .catch(() => {
        throw refused(`WorkGroup ${name} is not found.`);
      });
    return fields(WorkGroup as Fields, 'Configuration');
  }

  async #run(execution: Execution): Promise<void> {
    const { emulator, holds } = this.#options;
    const { signal } = execution.stop;
    try {
      execution.state = 'RUNNING';
      await holds.passed(execution.spec.sql, signal);
      const answer = await runQuery(this.#options, execution.spec, signal);
      execution.bytesScanned = answer.bytesScanned;
      if (answer.bytesScanned > execution.cutoffBytes)
        return this.#end(execution, 'CANCELLED', { reason: 'Bytes scanned limit was exceeded' });
      if (signal.aborted) return;
      await writeResult(emulator, execution.location, answer);
      execution.result = answer;
      this.#end(execution, 'SUCCEEDED', null);
    } catch (error) {
      this.#end(execution, 'FAILED', queryFailure(error));
    }
  }

  /** The first end counts. */
  #end(execution: Execution, state: State, failure: Execution['failure']): void {
    if (execution.completedAt !== null) return;
    execution.completedAt = Date.now();
    execution.state = state;
    execution.failure = failure;
  }

  async #page(input: Fields): Promise<Fields> {
    const execution = this.#find(input);
    const { state, result, location } = execution;
    if (state === 'QUEUED' || state === 'RUNNING')
      throw refused(`Query has not yet finished. Current state: ${state}`, 'INVALID_QUERY_EXECUTION_STATE');
    if (result === null) throw refused(`Query did not finish successfully. Final query state: ${state}`);
    const most = Number(input['MaxResults'] ?? pageRows);
    if (most > pageRows) throw refused(`MaxResults is more than maximum allowed length ${pageRows}`);
    const { bucket, key } = s3Place(location);
    await this.#options.emulator.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).catch(() => {
      throw refused('Could not find results');
    });
    const lines = [result.columns.names, ...result.rows];
    const start = Number(input['NextToken'] ?? 0);
    const end = start + most;
    return {
      UpdateCount: 0,
      ResultSet: {
        Rows: lines.slice(start, end).map(datums),
        ResultSetMetadata: { ColumnInfo: columnInfo(result.columns) },
      },
      ...(end < lines.length ? { NextToken: String(end) } : {}),
    };
  }
}

function outputFolder(input: Fields, workGroup: Fields): string {
  const own = fields(input, 'ResultConfiguration')['OutputLocation'];
  const ofGroup = fields(workGroup, 'ResultConfiguration')['OutputLocation'];
  const location = (workGroup['EnforceWorkGroupConfiguration'] === true ? ofGroup : null) ?? own ?? ofGroup;
  if (typeof location !== 'string')
    throw refused(
      'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
    );
  return location.endsWith('/') ? location : `${location}/`;
}
