import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openDuckDbSqlEngine } from '../../engines/duckdb/sql-engine.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { Config } from '../config.ts';
import { openAwsLake, type AwsLake } from '../open-aws-lake.ts';
import { verifyAthena } from './athena.ts';
import { verifyCatalog, verifyRemoval } from './catalog.ts';
import { verifyCrawler } from './crawler.ts';
import { verifyDatabases, verifySecrets } from './databases.ts';
import { verifyDuckDb } from './duckdb.ts';
import { verifyGlue } from './glue.ts';
import { verifyEvents, verifySns } from './messages.ts';
import { verifyMetrics } from './metrics.ts';
import { Checks, type Outcome } from './outcome.ts';
import { verifyS3 } from './s3.ts';
import { verifiedLedger } from './verified-ledger.ts';
import type { Verification, Verify } from './verification.ts';

interface Step {
  readonly verify: Verify;
  /** Steps whose work this one goes on with. */
  readonly after?: readonly string[];
}

/** In the order they run. */
const steps = {
  s3: { verify: verifyS3 },
  duckdb: { verify: verifyDuckDb },
  glue: { verify: verifyGlue, after: ['duckdb'] },
  catalog: { verify: verifyCatalog, after: ['duckdb'] },
  crawler: { verify: verifyCrawler },
  athena: { verify: verifyAthena, after: ['duckdb', 'catalog'] },
  sns: { verify: verifySns },
  events: { verify: verifyEvents, after: ['duckdb', 'glue'] },
  metrics: { verify: verifyMetrics },
  secrets: { verify: verifySecrets },
  databases: { verify: verifyDatabases },
} as const satisfies Readonly<Record<string, Step>>;

const services = Object.keys(steps);

export interface VerifyOptions {
  /** Services; all of them unless given. What they go on from runs too. */
  readonly only?: readonly string[];
  /** Leaves what was made. */
  readonly keep?: boolean;
  readonly topic?: string;
  readonly tell: (outcome: Outcome) => void;
}

function chosen(only: readonly string[]): readonly (readonly [string, Step])[] {
  const unknown = only.filter((name) => !services.includes(name));
  if (unknown.length > 0)
    throw new TerminalError({
      place: '--only',
      expected: services.join(', '),
      found: unknown.join(', '),
      remedy: 'Name services of these, separated by commas.',
    });
  const all = Object.entries<Step>(steps);
  if (only.length === 0) return all;
  const wanted = new Set(
    only.flatMap((name) => [name, ...((steps as Record<string, Step>)[name]?.after ?? [])]),
  );
  return all.filter(([name]) => wanted.has(name));
}

/** The user's own configuration, below a prefix and in databases of this run. */
function apart(config: Config, id: string): Config {
  return {
    ...config,
    keyPrefix: `${config.keyPrefix.replace(/\/+$/, '')}/verify-${id}`,
    databasePrefix: `${config.databasePrefix ?? ''}verify${id}_`,
    spillFolder: join(config.spillFolder, `verify-${id}`),
  };
}

async function removeObjects({ objects }: AwsLake): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of objects.list('')) keys.push(key);
  await objects.remove(keys);
}

/** Does in an account what the product does, service by service, and takes away what it made. False when something was not as expected. */
export async function verifyAccount(
  given: Config,
  env: NodeJS.ProcessEnv,
  { only = [], keep = false, topic, tell }: VerifyOptions,
): Promise<boolean> {
  if (given.engine !== 'aws')
    throw new TerminalError({
      place: 'engine',
      expected: 'a configuration with engine aws',
      found: given.engine,
      remedy: 'Set engine = "aws" and aws.bucket; docs/aws.md shows a file.',
    });
  const wanted = chosen(only);
  const id = randomUUID().slice(0, 8);
  const config = apart(given, id);
  let isAsExpected = true;
  const told = (outcome: Outcome): void => {
    if (outcome.state === 'failed') isAsExpected = false;
    tell(outcome);
  };
  const cleaning: { readonly what: string; readonly remove: () => Promise<unknown> }[] = [];
  const cleanUp: Verification['cleanUp'] = (what, remove) => void cleaning.push({ what, remove });

  const opened = new Checks('s3', told);
  let lake: AwsLake | null = null;
  await opened.check('the bucket', `s3://${config.bucket} answers`, async () => {
    lake = await openAwsLake(config, env);
    return lake.objects.location('');
  });
  if (lake === null) return false;
  const account: AwsLake = lake;
  cleanUp('the objects', () => removeObjects(account));
  const { memoryLimitBytes, spillFolder, threads } = config;
  const sql = await openDuckDbSqlEngine({
    objects: account.objects,
    s3: account.s3,
    memoryLimitBytes,
    spillFolder,
    threads,
  });
  const verification: Verification = {
    config,
    env,
    id,
    lake: account,
    sql,
    ledger: verifiedLedger(),
    topic: topic ?? null,
    written: [],
    jobRunId: null,
    cleanUp,
  };
  try {
    for (const [name, { verify }] of wanted) await safely(name, verify, verification, told);
  } finally {
    const checks = new Checks('removal', told);
    if (keep)
      checks.skip('what was made', `it is kept: ${account.objects.location('')}, ${config.databasePrefix}*`);
    else {
      await safely('catalog', verifyRemoval, verification, told);
      const expected = 'nothing is left of it';
      for (const { what, remove } of cleaning.reverse())
        await remove().catch((error: unknown) =>
          checks.check(what, expected, () => Promise.reject(error as Error)),
        );
      await checks.check('what was made', expected, async () => 'nothing is left of it');
    }
    await sql.close();
    await account.close();
    await rm(spillFolder, { recursive: true, force: true });
  }
  return isAsExpected;
}

/** A step that cannot even begin is a check that failed. */
async function safely(
  name: string,
  verify: Verify,
  verification: Verification,
  tell: (outcome: Outcome) => void,
): Promise<void> {
  const checks = new Checks(name, tell);
  try {
    await verify(verification, checks);
  } catch (error) {
    await checks.check(name, 'it can be tried', () => Promise.reject(error as Error));
  }
}
