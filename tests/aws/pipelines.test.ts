import { GetJobRunsCommand, GlueClient, type JobRun } from '@aws-sdk/client-glue';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { Contract } from '../../activities/index.ts';
import type { Publication } from '../../ports/ledger.ts';
import * as purchases from '../../pipelines/customer_purchases/contract.ts';
import { customerPurchases } from '../../pipelines/customer_purchases/pipeline.ts';
import { generators } from '../../pipelines/generators/index.ts';
import * as payments from '../../pipelines/payments/contract.ts';
import { payments as paymentsDag } from '../../pipelines/payments/pipeline.ts';
import { loadConfig } from '../../workers/config.ts';
import { openPorts, type OpenedPorts } from '../../workers/open-ports.ts';
import { openHarness, publishedRows, type Harness } from '../activities/harness.ts';
import { claimDags } from '../support/claimed-dags.ts';
import { eventually } from '../support/processes.ts';
import { clientOptionsOf, noBed } from './clients.ts';
import { openInstallation, type Installation } from './installation.ts';

// Spark starts here, and takes its time on a machine that may be busy.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

const bed = inject('aws') ?? noBed;
/** `npm run test:aws` runs all of it; `npm test` a few rows, on two days of the pipeline where days meet. */
const isWhole = process.env['INGOT_TEST_AWS'] === 'all';
const rows = isWhole ? 3000 : 300;
const dates = ['2026-01-01', '2026-01-02', '2026-01-03'];

interface Pipeline {
  readonly dag: typeof paymentsDag;
  readonly days: readonly string[];
  readonly tables: readonly Contract[];
  /** Models, each a job of Spark in every run. */
  readonly models: number;
  readonly warehouse: string;
}

const all: Readonly<Record<string, Pipeline>> = {
  payments: {
    dag: paymentsDag,
    days: isWhole ? dates : dates.slice(0, 2),
    tables: [
      payments.bronze,
      payments.curated,
      payments.audit,
      payments.qualitySummary,
      payments.dailyTotals,
      payments.merchantKpis,
    ],
    models: 3,
    warehouse: 'select * from merchant_kpis order by 1, 2',
  },
  customer_purchases: {
    dag: customerPurchases,
    days: isWhole ? dates : dates.slice(0, 1),
    tables: [
      purchases.bronze,
      purchases.silver,
      purchases.quarantine,
      purchases.qualitySummary,
      purchases.customers,
    ],
    models: 3,
    warehouse: 'select * from customer_purchase_summary order by 1',
  },
};

/** When a row was changed last is not what was computed. */
function withoutTimes(found: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  return found.map((row) => Object.entries(row).filter(([name]) => name !== 'updated_at'));
}

describe.skipIf(bed === noBed)(`pipelines on AWS ${inject('awsMissing')}`, () => {
  let aws: Installation;
  let ports: OpenedPorts;
  let embedded: Harness;
  let migrated: { readonly prepared: readonly string[] };
  const glue = new GlueClient(clientOptionsOf(bed));

  beforeAll(async () => {
    await claimDags(inject('postgresUrl'), import.meta.filename, Object.keys(all));
    const servers = { postgresUrl: inject('postgresUrl'), temporalAddress: inject('temporalAddress') };
    aws = await openInstallation(bed, servers, { INGOT_SQL_ENGINE: 'spark', INGOT_AWS_TOPICS: '*' });
    migrated = await aws.json('migrate');
    const sns = new SNSClient(clientOptionsOf(bed));
    for (const Name of ['MiniPaymentsAlerts', ...Object.keys(all)])
      await sns.send(new CreateTopicCommand({ Name }));
    Object.assign(process.env, aws.credentials);
    ports = await openPorts(
      loadConfig({ flags: {}, env: aws.env, folder: import.meta.dirname }),
      aws.env,
      () => {},
    );
    embedded = await openHarness({ postgresUrl: inject('postgresUrl') });
  });
  afterAll(async () => {
    await ports?.close();
    await aws[Symbol.asyncDispose]();
    await embedded[Symbol.asyncDispose]();
  });

  async function jobRuns(): Promise<readonly JobRun[]> {
    const { JobRuns = [] } = await glue.send(
      new GetJobRunsCommand({ JobName: aws.env['INGOT_AWS_GLUE_JOB'], MaxResults: 200 }),
    );
    return JobRuns;
  }

  async function generate(source: string, days: readonly string[]): Promise<void> {
    const options = { seed: 11, rows, dates: days, dirtShare: 0.02 };
    await generators[source]!.generate({ ...options, into: join(embedded.folder, 'lake') });
    const made = ['--date', days[0]!, '--days', String(days.length), '--rows', String(rows)];
    await aws.ingot('generate', source, ...made, '--seed', '11', '--dirt-share', '0.02');
  }

  test('migrate makes what has to be there, and says so once', async () => {
    expect(migrated.prepared.join()).toContain(': created');
    const again = await aws.json<{ applied: readonly string[]; prepared: readonly string[] }>('migrate');
    expect(again.applied).toEqual([]);
    expect(again.prepared.join()).toContain(': unchanged');
  });

  test.each(Object.entries(all))(
    '%s gives the same rows as embedded, in the lake and in the warehouse',
    async (source, pipeline) => {
      await using _ = await aws.worker();
      const before = (await jobRuns()).length;
      await generate(source, pipeline.days);
      for (const date of pipeline.days) {
        expect(await aws.json('run', source, '--date', date)).toMatchObject({ state: 'success' });
        expect((await embedded.run(pipeline.dag, date)).failures).toEqual({});
      }
      const ended = (await jobRuns()).slice(0, -before || undefined);
      expect(ended.map(({ JobRunState }) => JobRunState)).toEqual(
        Array.from({ length: pipeline.models * pipeline.days.length }, () => 'SUCCEEDED'),
      );
      for (const table of pipeline.tables) {
        const expected = await publishedRows(embedded.ports, table);
        expect(expected.length, table.name).toBeGreaterThan(0);
        expect(await publishedRows(ports, table), table.name).toEqual(expected);
      }
      const found = await aws.json<Record<string, unknown>[]>(
        'query',
        pipeline.warehouse,
        '--connection',
        'warehouse',
        '--limit',
        '100000',
      );
      const { columns, rows: texts } = await (
        await embedded.ports.warehouse('warehouse')
      ).query(pipeline.warehouse);
      const wanted = texts.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
      expect(withoutTimes(found)).toEqual(withoutTimes(wanted));
    },
  );

  test('history says that Spark computed, and why; Athena answers over what the catalog shows', async () => {
    const [publication] = await aws.json<Publication[]>(
      'lake',
      'history',
      payments.curated.name,
      '--limit',
      '1',
    );
    expect(publication).toMatchObject({ engine: 'spark', engineReason: 'the configuration says spark' });
    const [count] = await aws.json<{ n: string }[]>(
      'query',
      `select count(*) as n from ${payments.curated.name}`,
    );
    expect(Number(count!.n)).toBe((await publishedRows(ports, payments.curated)).length);
    expect(await aws.json('lake', 'sync')).toMatchObject({ catalog: expect.any(String), changes: [] });
  });

  test('a worker killed while Spark computes is followed by another, and nothing is computed twice', async () => {
    const date = '2026-02-01';
    await generate('payments', [date]);
    const before = (await jobRuns()).length;
    const first = await aws.worker();
    const run = aws.start('run', 'payments', '--date', date, '--json');
    await eventually('a job of the run', async () => (await jobRuns()).length > before || null);
    await first.kill();
    await using _ = await aws.worker();
    const { code, stdout, stderr } = await run;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ state: 'success' });
    const ids = (await jobRuns()).slice(0, -before).map(({ Arguments = {} }) => Arguments['--ingot-id']);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(all['payments']!.models);
    expect((await embedded.run(paymentsDag, date)).failures).toEqual({});
    for (const table of [payments.curated, payments.merchantKpis])
      expect(await publishedRows(ports, table), table.name).toEqual(
        await publishedRows(embedded.ports, table),
      );
  });

  test('what fails reaches the topic its people listen to', async () => {
    await using _ = await aws.worker();
    const [sns, sqs] = [new SNSClient(clientOptionsOf(bed)), new SQSClient(clientOptionsOf(bed))];
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'MiniPaymentsAlerts' }));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `alerts-${aws.bucket}` }));
    const attributes = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const Endpoint = attributes.Attributes!['QueueArn'];
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
    const { code, stdout } = await aws.start('run', 'payments', '--date', '2026-05-05', '--json');
    expect(code).toBe(1);
    const { runId } = JSON.parse(stdout) as { readonly runId: string };
    const message = await eventually('the alert', async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
      return Messages[0]?.Body ?? null;
    });
    expect(message).toContain('payments 2026-05-05 failed');
    expect(message).toContain(runId);
  });
});
