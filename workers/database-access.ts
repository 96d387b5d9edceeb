import { readFile } from 'node:fs/promises';
import type { DatabaseAccess } from '../engines/postgres/access.ts';
import { TerminalError } from '../ports/errors.ts';
import type { Config, SignIn } from './config.ts';
import { nearest } from './config/nearest.ts';
import { managedSecrets, resolveSecret } from './config/secret.ts';

async function authorities(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TerminalError(
      {
        expected: `${path} to hold the authorities of the ${name} database`,
        found: (error as Error).message,
        remedy: `Correct connections.${name}.ca; RDS’s are in https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem.`,
      },
      { cause: error },
    );
  }
}

function parsed(name: string, text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  // Without the text: it may hold a password.
  throw new TerminalError({
    place: `connections.${name}`,
    expected: 'a URL like postgres://user@host:5432/database',
    found: 'one that cannot be parsed',
    remedy: 'Correct the URL.',
  });
}

async function iamPassword(name: string, url: URL, region: string | null): Promise<() => Promise<string>> {
  const user = decodeURIComponent(url.username);
  if (user === '' || url.password !== '')
    throw new TerminalError({
      place: `connections.${name}`,
      expected: 'a URL with a user and without a password, as IAM sign-in takes tokens',
      found: user === '' ? 'no user' : 'a password',
      remedy: 'Correct the URL, or leave IAM sign-in out.',
    });
  const { rdsPassword } = await import('../engines/rds/sign-in.ts');
  return rdsPassword({ host: url.hostname, port: Number(url.port || 5432), user, fallbackRegion: region });
}

/** Adds to a database's URL what proves the server, and how to sign in. `auth=iam` may also stand in the URL. */
export async function accessOf(
  name: string,
  text: string,
  { ca, auth }: SignIn,
  region: string | null = null,
): Promise<DatabaseAccess> {
  const isIam = auth === 'iam' || /[?&]auth=iam(&|$)/.test(text);
  const access = { url: text, ...(ca === null ? {} : { ca: await authorities(name, ca) }) };
  if (!isIam) return access;
  const url = parsed(name, text);
  url.searchParams.delete('auth');
  return { ...access, url: url.href, password: await iamPassword(name, url, region) };
}

/** How to reach a database of the configuration. Secrets are resolved here, and go no further than the adapters. */
export async function databaseAccess(
  config: Pick<Config, 'connections' | 'signIn' | 'region'>,
  env: NodeJS.ProcessEnv,
  name: string,
): Promise<DatabaseAccess> {
  const reference = config.connections[name];
  if (reference !== undefined) {
    const what = `the URL of the ${name} database`;
    const url = await resolveSecret(reference, env, what, managedSecrets(config.region));
    return accessOf(name, url, config.signIn[name] ?? { ca: null, auth: 'password' }, config.region);
  }
  const known = Object.keys(config.connections);
  const meant = nearest(name, known);
  throw new TerminalError({
    expected: `a connection named ${name}`,
    found: known.length === 0 ? 'none' : known.join(', '),
    remedy: `${meant.length > 0 ? `Did you mean ${meant.join(' or ')}? ` : ''}Set INGOT_${name.toUpperCase()}_URL, or [connections.${name}] in ingot.toml.`,
  });
}
