import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import { literal } from './sql-text.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How DuckDB reads a store whose locations begin with `s3://`; it never writes there. */
export interface S3Access {
  readonly region: string;
  /** `https://host:port` of an emulator or a VPC endpoint. */
  readonly endpoint?: string;
  readonly urlStyle?: 'path' | 'vhost';
  /** Asked before every statement, which works with the answer to its end: so those that end soon are to be replaced by then. */
  readonly credentials: () => Promise<S3Credentials>;
  /** The file of DuckDB's httpfs extension; absent: installed from DuckDB's own site unless it is there. */
  readonly extension?: string;
}

/** In compatibility mode a location is exactly one key, with no patterns or parameters in it. */
const settings: Readonly<Record<string, string>> = {
  s3_url_compatibility_mode: 'true',
  http_timeout: '30',
  http_retries: '4',
  http_retry_wait_ms: '100',
  http_retry_backoff: '4',
  http_keep_alive: 'true',
};

/** The extension copies the process's own credentials here, where any query could read them. */
const fromEnvironment = [
  's3_access_key_id',
  's3_secret_access_key',
  's3_session_token',
  's3_kms_key_id',
  's3_endpoint',
  's3_region',
];

async function install(connection: DuckDBConnection): Promise<void> {
  try {
    await connection.run('LOAD httpfs');
  } catch {
    await connection.run('INSTALL httpfs');
    await connection.run('LOAD httpfs');
  }
}

/** Loads what S3 needs; before the settings are locked. */
export async function loadS3(connection: DuckDBConnection, access: S3Access): Promise<void> {
  const { extension } = access;
  try {
    if (extension === undefined) await install(connection);
    else await connection.run(`LOAD ${literal(extension)}`);
  } catch (error) {
    throw new TerminalError(
      {
        place: extension ?? 'DuckDB',
        expected: "DuckDB's extension httpfs of the same version as DuckDB, to read and write S3",
        found: error instanceof Error ? error.message : String(error),
        remedy:
          'Let the worker reach extensions.duckdb.org once, put the extension into its image (INSTALL httpfs), or configure the path of its file.',
      },
      { cause: error },
    );
  }
  for (const name of fromEnvironment) await connection.run(`RESET GLOBAL ${name}`);
  for (const [name, value] of Object.entries(settings)) await connection.run(`SET GLOBAL ${name} = ${value}`);
}

function secretStatement(access: S3Access, credentials: S3Credentials): string {
  const host = access.endpoint === undefined ? null : new URL(access.endpoint);
  const options: [string, string | undefined][] = [
    ['KEY_ID', credentials.accessKeyId],
    ['SECRET', credentials.secretAccessKey],
    ['SESSION_TOKEN', credentials.sessionToken],
    ['REGION', access.region],
    ['ENDPOINT', host === null ? undefined : host.host + host.pathname.replace(/\/$/, '')],
    ['URL_STYLE', access.urlStyle ?? (host === null ? 'vhost' : 'path')],
  ];
  const given = options.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${literal(value)}`],
  );
  const ssl = host?.protocol === 'http:' ? 'false' : 'true';
  return `CREATE OR REPLACE TEMPORARY SECRET ingot_s3 (TYPE s3, ${given.join(', ')}, USE_SSL ${ssl})`;
}

/** The credentials one database works with, replaced when the provider has newer ones. They are in its memory only. */
export class S3Secret {
  readonly #instance: DuckDBInstance;
  readonly #access: S3Access;
  #known = '';
  #setting: Promise<void> = Promise.resolve();

  constructor(instance: DuckDBInstance, access: S3Access) {
    this.#instance = instance;
    this.#access = access;
  }

  /** One after the other: two transactions cannot replace the secret at once. */
  async freshen(): Promise<void> {
    const turn = this.#setting.catch(() => undefined).then(() => this.#freshen());
    this.#setting = turn;
    turn.catch(() => undefined);
    await turn;
  }

  async #freshen(): Promise<void> {
    const statement = secretStatement(this.#access, await this.#access.credentials());
    if (statement === this.#known) return;
    const connection = await this.#instance.connect();
    try {
      await connection.run(statement);
      this.#known = statement;
    } catch {
      // What DuckDB says of a statement may quote it.
      throw new RetryableError({
        place: 'DuckDB',
        expected: 'the credentials for S3 to be taken',
        found: 'DuckDB refused them (what it said is withheld, since it may quote them)',
        remedy: 'It is tried again.',
      });
    } finally {
      connection.closeSync();
    }
  }
}
