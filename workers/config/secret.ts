import { readFile } from 'node:fs/promises';
import type { ReadSecret, SecretName } from '../../engines/secretsmanager/secrets.ts';
import { TerminalError } from '../../ports/errors.ts';

/** Where a secret is, so that configuration can be passed around and printed without it. */
export type SecretReference =
  | { readonly in: 'environment'; readonly name: string }
  | { readonly in: 'file'; readonly path: string }
  | ({ readonly in: 'secretsmanager' } & SecretName)
  | { readonly in: 'configuration'; readonly value: string };

/** Secret names hold no #; ARNs neither. */
const managed = /^secretsmanager:([A-Za-z0-9/_+=.@!:-]+)(?:#([^#\s]+))?$/;

/** Reads `env:NAME`, `file:/path`, `secretsmanager:<name or ARN>[#key]`, or a URL given as it is; null for anything else. */
export function parseReference(text: string): SecretReference | null {
  if (/^env:[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return { in: 'environment', name: text.slice(4) };
  if (text.startsWith('file:') && text.length > 5)
    return { in: 'file', path: text.slice(5).replace(/^\/\/(?=\/)/, '') };
  const secret = managed.exec(text);
  if (secret !== null) return { in: 'secretsmanager', id: secret[1]!, key: secret[2] ?? null };
  return /^[a-z][a-z0-9+]*:\/\/./i.test(text) && URL.canParse(text)
    ? { in: 'configuration', value: text }
    : null;
}

/** What may be shown of a secret: where it is, or a URL without user's password, path secrets and parameters. */
export function maskSecret(reference: SecretReference): string {
  if (reference.in === 'environment') return `env:${reference.name}`;
  if (reference.in === 'file') return `file:${reference.path}`;
  if (reference.in === 'secretsmanager')
    return `secretsmanager:${reference.id}${reference.key === null ? '' : `#${reference.key}`}`;
  const url = new URL(reference.value);
  const user = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : ':•••'}@`;
  // A webhook's path is its secret; a database's path is only its name.
  const path = /^https?:$/.test(url.protocol) ? (url.pathname === '/' ? '/' : '/•••') : url.pathname;
  return `${url.protocol}//${user}${url.host}${path}${url.search === '' ? '' : '?•••'}`;
}

const readers = new Map<string, Promise<ReadSecret>>();

/** One reader of a region for the process, so that a secret is asked for once in minutes. Null: the region of AWS's standard chain. */
export function managedSecrets(region: string | null): ReadSecret {
  return async (secret, what) => {
    const key = region ?? '';
    const reader =
      readers.get(key) ??
      import('../../engines/secretsmanager/secrets.ts').then(({ secretsManager }) =>
        secretsManager(region === null ? {} : { region }),
      );
    readers.set(key, reader);
    return (await reader)(secret, what);
  };
}

/** The secret itself: only workers, and what opens connections, call this. */
export async function resolveSecret(
  reference: SecretReference,
  env: NodeJS.ProcessEnv,
  what: string,
  readSecret: ReadSecret = managedSecrets(null),
): Promise<string> {
  if (reference.in === 'configuration') return reference.value;
  if (reference.in === 'secretsmanager') return readSecret(reference, what);
  if (reference.in === 'environment') {
    const value = env[reference.name];
    if (value !== undefined && value !== '') return value;
    throw new TerminalError({
      expected: `the environment variable ${reference.name} to hold ${what}`,
      found: 'it is not set',
      remedy: `Set ${reference.name} where the worker is started.`,
    });
  }
  try {
    return (await readFile(reference.path, 'utf8')).trim();
  } catch (error) {
    throw new TerminalError(
      {
        expected: `${reference.path} to hold ${what}`,
        found: (error as Error).message,
        remedy: 'Write the secret into that file, readable for the worker.',
      },
      { cause: error },
    );
  }
}
