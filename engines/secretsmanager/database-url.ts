import { TerminalError } from '../../ports/errors.ts';

type Fields = Readonly<Record<string, unknown>>;

function textOf(fields: Fields, ...names: string[]): string | null {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'number') return String(value);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

/** The URL of the database that a secret of RDS's own form describes: username, password, host, port, dbname. */
export function databaseUrl(fields: Fields, place: string, what: string): string {
  const parts = {
    username: textOf(fields, 'username'),
    password: textOf(fields, 'password'),
    host: textOf(fields, 'host'),
    dbname: textOf(fields, 'dbname', 'database'),
  };
  const missing = Object.entries(parts).flatMap(([name, value]) => (value === null ? [name] : []));
  const engine = textOf(fields, 'engine') ?? 'postgres';
  if (missing.length > 0 || !/postgres/.test(engine))
    throw new TerminalError({
      place,
      expected: `${what}: a text, or JSON with username, password, host and dbname of a Postgres database`,
      found: missing.length > 0 ? `JSON without ${missing.join(', ')}` : `the engine ${engine}`,
      remedy: 'Name a key that holds the URL, after a #, or add what is missing to the secret.',
    });
  const url = new URL('postgres://host/');
  url.hostname = parts.host!;
  url.port = textOf(fields, 'port') ?? '5432';
  url.username = encodeURIComponent(parts.username!);
  url.password = encodeURIComponent(parts.password!);
  url.pathname = `/${encodeURIComponent(parts.dbname!)}`;
  return url.href;
}
