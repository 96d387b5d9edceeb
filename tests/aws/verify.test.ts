import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { GetCrawlersCommand, GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { cliEnvironment, ended, type CliRun } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { clientOptionsOf, noBed, s3OptionsOf } from './clients.ts';
import { faultsOf } from './faults.ts';
import { openInstallation, type Installation } from './installation.ts';
import { testQueues } from './queues.ts';

// Spark starts here, and takes its time on a machine that may be busy.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

const bed = inject('aws') ?? noBed;
const root = join(import.meta.dirname, '../..');
const { home, remove } = homeFolder();

describe.skipIf(bed === noBed)(`npm run verify:aws ${inject('awsMissing')}`, () => {
  let aws: Installation;
  let prefix: string;
  const topic = `verify-${randomUUID()}`;

  async function ruleTo(queueUrl: string): Promise<void> {
    const events = new EventBridgeClient(clientOptionsOf(bed));
    const Name = `verify-${randomUUID()}`;
    const pattern = { source: ['aws.glue'], 'detail-type': ['Glue Job State Change'] };
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
    const Arn = `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split('/').at(-1)}`;
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'queue', Arn }] }));
  }

  beforeAll(async () => {
    const servers = { postgresUrl: inject('postgresUrl'), temporalAddress: inject('temporalAddress') };
    const queue = await testQueues(clientOptionsOf(bed)).withDeadLetters(5);
    await ruleTo(queue.url);
    const Name = `verify/${randomUUID()}`;
    const secrets = new SecretsManagerClient(clientOptionsOf(bed));
    await secrets.send(new CreateSecretCommand({ Name, SecretString: 'https://example.com/hook/hunter2' }));
    await new SNSClient(clientOptionsOf(bed)).send(new CreateTopicCommand({ Name: topic }));
    aws = await openInstallation(bed, servers, {
      INGOT_AWS_TOPICS: '*',
      INGOT_AWS_QUEUE: queue.url,
      INGOT_AWS_METRICS: `Verify${randomUUID()}`,
      INGOT_WEBHOOK: `secretsmanager:${Name}`,
    });
    prefix = aws.env['INGOT_AWS_DATABASE_PREFIX']!;
    await aws.ingot('migrate');
  });
  afterAll(async () => {
    await aws?.[Symbol.asyncDispose]();
    remove();
  });

  function verify(...args: readonly string[]): Promise<CliRun> {
    const script = join(root, 'infra/verify-aws.ts');
    return ended(
      spawn(process.execPath, [script, ...args], {
        env: { ...cliEnvironment(home), ...aws.env },
        cwd: join(home, '..'),
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  async function left(): Promise<readonly (string | undefined)[]> {
    const [s3, glue] = [new S3Client(s3OptionsOf(bed)), new GlueClient(clientOptionsOf(bed))];
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: aws.bucket, Prefix: 'lake/verify-' }),
    );
    const { DatabaseList = [] } = await glue.send(new GetDatabasesCommand({}));
    const { Crawlers = [] } = await glue.send(new GetCrawlersCommand({}));
    return [
      ...Contents.map(({ Key }) => Key),
      ...[...DatabaseList, ...Crawlers].map(({ Name }) => Name).filter((name) => name?.startsWith(prefix)),
    ];
  }

  test('every service shows what it does, and nothing is left of it', async () => {
    const { code, stdout, stderr } = await verify('--topic', topic);
    expect(stderr).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('✗'))).toEqual([]);
    expect(lines.at(-1)).toMatch(/^\d+ as expected, 0 not, [01] not tried\.$/);
    expect(code).toBe(0);
    for (const service of [
      's3: 20 writers of one key, each if it is absent: writer',
      's3: a listing of 1005 objects: 1005, then 0',
      'duckdb: DuckDB reads from S3: 300 rows',
      'glue: the same model is submitted again: Glue job',
      'glue: Spark computes it: 2026-01-01: 100 1237.50',
      'glue: a model that cannot run: ',
      'glue: a model that is stopped: STOPPED',
      'catalog: a new version of one partition: update day=2026-01-02',
      'crawler: a crawl of a raw zone: one table of id and price',
      'athena: a count over 3 partitions: 299',
      'sns: a notification to',
      'events: the end of the Glue job: it is SUCCEEDED',
      'metrics: numbers in',
      'secrets: the secret of webhook: read',
      'databases: the ledger database: Postgres',
      'removal: what was made: nothing is left of it',
    ])
      expect(
        lines.some((line) => line.startsWith(`✓ ${service}`)),
        `${service} in\n${stdout}`,
      ).toBe(true);
    expect(stdout).not.toContain('hunter2');
    expect(await left()).toEqual([]);
  });

  test('what is refused is told with the action that is missing, and the end is not 0', async () => {
    const faults = faultsOf(bed, prefix);
    const refusal = { code: 'AccessDeniedException', message: 'not authorized to perform: glue:X' };
    await faults.fail('glue:BatchUpdatePartition', refusal, 5);
    await faults.fail('glue:UpdatePartition', refusal, 5);
    const { code, stdout } = await verify('--only', 'catalog');
    await faults.clear();
    expect(code).toBe(1);
    const wrong = stdout.split('\n').filter((line) => line.startsWith('✗'));
    expect(wrong[0]).toMatch(
      /^✗ catalog: a new version of one partition: expected .*permission for glue:(Batch)?UpdatePartition.*Grant the action/,
    );
    expect(stdout).toMatch(/✓ catalog: a table of 3 partitions/);
    expect(await left()).toEqual([]);
  });

  test('a bucket that is not there ends it at once, and a service that is none is refused', async () => {
    const env = aws.env as Record<string, string>;
    const bucket = env['INGOT_AWS_BUCKET']!;
    env['INGOT_AWS_BUCKET'] = 'no-such-bucket-here';
    const missing = await verify();
    env['INGOT_AWS_BUCKET'] = bucket;
    expect(missing.code).toBe(1);
    expect(missing.stdout.trim().split('\n')[0]).toMatch(/^✗ s3: the bucket: .*Create the bucket/);
    const unknown = await verify('--only', 's3,redshift');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('found redshift') });
  });
});
