import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openPostgresServer } from '../../workers/stack/postgres-server.ts';
import { resolveTemporalBinary } from '../../workers/stack/temporal-binary.ts';
import { openTemporalServer } from '../../workers/stack/temporal-server.ts';
import { openTestBedIfPossible, type AwsBed } from '../aws/test-bed.ts';
import { createClaims } from './claimed-dags.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of the database `postgres`; make a database of your own with `createDatabase`. */
    postgresUrl: string;
    temporalAddress: string;
    /** The Temporal CLI, for tests that start servers of their own. */
    temporalBinary: string;
    /** What stands for AWS; null where this machine has no Python, Java or Maven, which `awsMissing` then explains. */
    aws: AwsBed | null;
    /** The reason of tests that are skipped because `aws` is null. */
    awsMissing: string;
  }
}

/** One Postgres, one Temporal server and one stand-in for AWS for all tests. Their guards end them with this process, however it ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tests-'));
  // As root, Postgres runs under another account, which must be able to reach its data.
  await chmod(folder, 0o755);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const binary = await resolveTemporalBinary({ env: process.env, progress });
  const aws = await openTestBedIfPossible(join(folder, 'aws'), progress);
  const postgres = await openPostgresServer({ folder: join(folder, 'postgres'), durable: false });
  await createClaims(postgres.url('postgres'));
  const temporal = await openTemporalServer({
    binary: binary.path,
    folder: join(folder, 'temporal'),
    ui: false,
    retentionDays: 1,
  }).catch(async (error: unknown) => {
    await postgres.close();
    throw error;
  });
  project.provide('postgresUrl', postgres.url('postgres'));
  project.provide('temporalAddress', temporal.address);
  project.provide('temporalBinary', binary.path);
  project.provide('aws', aws.bed);
  project.provide('awsMissing', aws.reason);
  return async () => {
    await Promise.all([postgres.close(), temporal.close(), aws.close()]);
    await rm(folder, { recursive: true, force: true });
  };
}
