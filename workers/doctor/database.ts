import { clientConfig } from '../../engines/postgres/access.ts';
import type { Config } from '../config.ts';
import { databaseAccess } from '../database-access.ts';
import { note, ok, wrong, type Finding } from './finding.ts';

interface Server {
  readonly version: string;
  readonly tls: string | null;
}

const question = `select current_setting('server_version') as version, ssl.version as tls
  from pg_stat_ssl ssl where ssl.pid = pg_backend_pid()`;

/** An address of this machine or of its own network needs no TLS. */
function isNear(host: string): boolean {
  return /^(localhost|127\.|::1$|\/)/.test(host);
}

/** Whether a database of the configuration answers, how it is signed in to, and whether others can listen. */
export async function databaseFinding(
  name: string,
  config: Config,
  env: NodeJS.ProcessEnv,
): Promise<Finding> {
  const what = `Database ${name}`;
  const { default: pg } = await import('pg');
  try {
    const access = await databaseAccess(config, env, name);
    const client = new pg.Client({ ...clientConfig(access), connectionTimeoutMillis: 5000 });
    await client.connect();
    try {
      const { version, tls } = (await client.query<Server>(question)).rows[0]!;
      const place = `Postgres ${version} on ${client.host}:${client.port}/${client.database}`;
      const signedIn = access.password === undefined ? '' : ', signed in by IAM';
      if (tls !== null) return ok(what, `${place}, ${tls}${signedIn}`);
      if (config.engine === 'embedded' || isNear(client.host)) return ok(what, `${place}${signedIn}`);
      return note(
        what,
        `${place}, without TLS`,
        `Give connections.${name}.ca, or sslmode=verify-full in the URL.`,
      );
    } finally {
      await client.end();
    }
  } catch (error) {
    return wrong(what, error, `Check INGOT_${name.toUpperCase()}_URL, or [connections.${name}] in the file.`);
  }
}
