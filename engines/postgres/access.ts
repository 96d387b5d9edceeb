import pg from 'pg';
import { TerminalError } from '../../ports/errors.ts';

/** A database and how to sign in to it. A text is its URL. */
export interface DatabaseAccess {
  readonly url: string;
  /** Authorities (PEM) that may vouch for the server. */
  readonly ca?: string;
  /** Asked anew for every connection, in place of a password in the URL. */
  readonly password?: () => Promise<string>;
}

type Tls = pg.ClientConfig['ssl'];

/**
 * What `sslmode` and the authorities say, as libpq means it: `require` with authorities verifies who signed, only `verify-full` the name. Node
 * checks a name that is an address only when it is told so.
 */
const modes: Readonly<Record<string, (authorities: { readonly ca?: string }, host: string) => Tls>> = {
  disable: () => false,
  require: (own) =>
    own.ca === undefined ? { rejectUnauthorized: false } : { ...own, checkServerIdentity: anyName },
  'verify-ca': (own) => ({ ...own, checkServerIdentity: anyName }),
  'verify-full': (own, host) => ({ ...own, host }),
};

const anyName = (): undefined => undefined;

/** Null leaves TLS to the environment's PGSSLMODE, where nobody asks for it here. */
function tlsOf(mode: string | null, { ca, password }: DatabaseAccess, target: pg.Client): Tls | null {
  const isAsked = ca !== undefined || password !== undefined;
  if (mode === null && !isAsked) return null;
  const choose = modes[mode ?? 'verify-full'];
  if (choose === undefined || (mode === 'disable' && isAsked))
    throw new TerminalError({
      place: placeOf(target),
      expected: `sslmode ${(isAsked ? ['require', 'verify-ca', 'verify-full'] : Object.keys(modes)).join(', ')}`,
      found: mode!,
      remedy:
        'Correct sslmode in the URL; left out, a database with a ca or IAM sign-in is verified in full.',
    });
  return choose(ca === undefined ? {} : { ca }, target.host);
}

function refuseUrl(): TerminalError {
  // Without the cause: it quotes the connection string, password and all.
  return new TerminalError({
    expected: 'a connection string like postgres://user@host:5432/database',
    found: 'one that cannot be parsed',
    remedy: 'Correct the connection string.',
  });
}

interface Parsed {
  /** Without what is said explicitly. */
  readonly url: string;
  readonly mode: string | null;
  readonly target: pg.Client;
}

function parsed(given: string): Parsed {
  try {
    if (!/[?&]sslmode=/.test(given)) return { url: given, mode: null, target: new pg.Client(given) };
    const url = new URL(given);
    const mode = url.searchParams.get('sslmode');
    url.searchParams.delete('sslmode');
    return { url: url.href, mode, target: new pg.Client(url.href) };
  } catch {
    throw refuseUrl();
  }
}

/** `host:port/database`, for messages. */
export function placeOf({ host, port, database }: Pick<pg.Client, 'host' | 'port' | 'database'>): string {
  return `${host}:${port}/${database ?? ''}`;
}

/** What a `pg` client of the database is made with. Throws TerminalError, without the URL, for one that cannot be used. */
export function clientConfig(access: string | DatabaseAccess): pg.ClientConfig {
  const given = typeof access === 'string' ? { url: access } : access;
  const { url, mode, target } = parsed(given.url);
  const tls = tlsOf(mode, given, target);
  const ssl = tls === null ? {} : { ssl: tls };
  if (given.password === undefined) return { connectionString: url, ...ssl };
  // A URL goes before a password beside it, even one without a password.
  const { host, port, user, database } = target;
  return {
    host,
    port,
    ...(user === undefined ? {} : { user }),
    database: database ?? 'postgres',
    password: given.password,
    ...ssl,
  };
}
