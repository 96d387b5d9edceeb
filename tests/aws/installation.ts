import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { createDatabase } from '../support/database.ts';
import { ended, ingot, startIngot, type CliRun } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { eventually } from '../support/processes.ts';
import { awsEnvironment, s3OptionsOf } from './clients.ts';
import type { AwsBed } from './test-bed.ts';

export interface InstallationWorker extends AsyncDisposable {
  readonly pid: number;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/** Ingot as somebody has set it up: commands and workers that share databases, a task queue and a lake. */
export interface Installation extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  /** For clients of the product in this process. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly bucket: string;
  /** Output of a command that has to succeed. */
  ingot(...args: readonly string[]): Promise<string>;
  json<T>(...args: readonly string[]): Promise<T>;
  /** A command that goes on. */
  start(...args: readonly string[]): Promise<CliRun>;
  worker(): Promise<InstallationWorker>;
}

export interface Servers {
  readonly postgresUrl: string;
  readonly temporalAddress: string;
}

function succeeded({ code, stdout, stderr }: CliRun, args: readonly string[]): string {
  if (code === 0) return stdout;
  throw new Error(`ingot ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
}

/** With `engine` aws, on a bucket of its own in the test bed; everything else is the same. */
export async function openInstallation(
  bed: AwsBed,
  { postgresUrl, temporalAddress }: Servers,
  more: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const { home, remove } = homeFolder();
  const url = await createDatabase(postgresUrl);
  const bucket = `lake-${randomUUID()}`;
  const s3 = new S3Client(s3OptionsOf(bed));
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  s3.destroy();
  const id = bucket.slice(5, 13);
  const env = {
    ...awsEnvironment(bed),
    TEMPORAL_ADDRESS: temporalAddress,
    INGOT_LEDGER_URL: url,
    INGOT_WAREHOUSE_URL: url,
    INGOT_TASK_QUEUE: `aws-${id}`,
    INGOT_ENGINE: 'aws',
    INGOT_AWS_BUCKET: bucket,
    INGOT_AWS_GLUE_ROLE: 'arn:aws:iam::000000000000:role/ingot-glue',
    INGOT_AWS_GLUE_JOB: `ingot-${id}`,
    INGOT_AWS_DATABASE_PREFIX: `t${id}_`,
    INGOT_HTTPFS: bed.httpfs,
    ...more,
  };
  const running = new Set<{ readonly child: ChildProcess; readonly end: Promise<CliRun> }>();

  async function worker(): Promise<InstallationWorker> {
    const readyFile = join(home, '..', `ready-${randomUUID()}`);
    const child = startIngot(home, ['worker', '--ready-file', readyFile, '--drain', '1'], env);
    const started = { child, end: ended(child) };
    running.add(started);
    await eventually('a worker that takes work', async () => {
      if (child.exitCode !== null) throw new Error((await started.end).stderr);
      return existsSync(readyFile) || null;
    });
    const kill = async (): Promise<void> => {
      running.delete(started);
      child.kill('SIGKILL');
      await started.end;
    };
    return { pid: child.pid!, kill, [Symbol.asyncDispose]: kill };
  }

  const run = async (...args: readonly string[]): Promise<string> =>
    succeeded(await ingot(home, args, env), args);
  return {
    env,
    credentials: awsEnvironment(bed),
    bucket,
    ingot: run,
    json: async <T>(...args: readonly string[]): Promise<T> => JSON.parse(await run(...args, '--json')) as T,
    start: (...args) => ingot(home, args, env),
    worker,
    async [Symbol.asyncDispose]() {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all([...running].map(({ end }) => end));
      remove();
    },
  };
}
