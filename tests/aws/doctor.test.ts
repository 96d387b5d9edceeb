import {
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { PutPublicAccessBlockCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { Finding } from '../../workers/doctor/finding.ts';
import { callerXml, errorXml, openIamServer, simulationXml } from '../engines/iam/iam-server.ts';
import { ingot } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { clientOptionsOf, noBed, s3OptionsOf } from './clients.ts';
import { faultsOf } from './faults.ts';
import { openInstallation, type Installation } from './installation.ts';
import { testQueues } from './queues.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const bed = inject('aws') ?? noBed;
const session = 'arn:aws:sts::000000000000:assumed-role/worker/i-0abc';

/** What IAM and STS say to somebody who may ask nothing. */
function refusal({ Action }: Readonly<Record<string, string>>) {
  if (Action === 'GetCallerIdentity') return { body: callerXml(session) };
  return { status: 403, body: errorXml('AccessDenied', `not authorized to perform: iam:${Action}`) };
}

const { home, remove } = homeFolder();

interface Report {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

describe.skipIf(bed === noBed)(`ingot doctor on AWS ${inject('awsMissing')}`, () => {
  let aws: Installation;
  let role: string;
  const iam = new IAMClient(clientOptionsOf(bed));

  beforeAll(async () => {
    const servers = { postgresUrl: inject('postgresUrl'), temporalAddress: inject('temporalAddress') };
    const RoleName = `ingot-${Date.now()}`;
    const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: 'glue.amazonaws.com' } }] };
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    role = Role!.Arn!;
    const queue = await testQueues(clientOptionsOf(bed)).withDeadLetters(5);
    aws = await openInstallation(bed, servers, {
      INGOT_AWS_GLUE_ROLE: role,
      INGOT_AWS_TOPICS: '*',
      INGOT_AWS_QUEUE: queue.url,
      INGOT_AWS_METRICS: 'Ingot',
    });
    const sns = new SNSClient(clientOptionsOf(bed));
    for (const Name of ['MiniPaymentsAlerts', 'payments', 'customer_purchases'])
      await sns.send(new CreateTopicCommand({ Name }));
  });
  afterAll(async () => {
    await aws?.[Symbol.asyncDispose]();
    remove();
  });

  async function doctor(more: Readonly<Record<string, string>> = {}): Promise<Report> {
    const { stdout, stderr } = await ingot(home, ['doctor', '--json'], { ...aws.env, ...more });
    expect(stdout, stderr).toMatch(/^\{/);
    expect(stdout).not.toContain(aws.env['AWS_SECRET_ACCESS_KEY'] + '"');
    return JSON.parse(stdout) as Report;
  }

  function named({ findings }: Report, what: string): Finding {
    const found = findings.find((finding) => finding.what === what);
    expect(found, `${what} among ${findings.map((each) => each.what).join(', ')}`).toBeDefined();
    return found!;
  }

  test('what is missing is wrong with its remedy, and gone once it is mended', async () => {
    const before = await doctor();
    expect(before.ok).toBe(false);
    expect(named(before, 'Glue job')).toMatchObject({
      state: 'wrong',
      found: `there is no job ${aws.env['INGOT_AWS_GLUE_JOB']}`,
      remedy: 'Run `ingot migrate`.',
    });
    expect(named(before, 'Permission logs:PutLogEvents')).toMatchObject({
      state: 'wrong',
      found: expect.stringContaining(
        `not granted to ${role} on arn:aws:logs:us-east-1:000000000000:log-group:`,
      ),
      remedy: '`ingot doctor --policy glue` prints a policy that grants all of it.',
    });
    await aws.ingot('migrate');
    const PolicyDocument = await aws.ingot('doctor', '--policy', 'glue');
    const RoleName = role.slice(role.lastIndexOf('/') + 1);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'ingot', PolicyDocument }));
    const after = await doctor();
    expect(after.findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(after.ok).toBe(true);
    expect(named(after, 'AWS identity').found).toMatch(/^arn:aws:iam::\d{12}:/);
    expect(named(after, 'AWS region').found).toMatch(/^us-east-1, account \d{12}$/);
    expect(named(after, 'Bucket').found).toBe(`s3://${aws.bucket}/lake/`);
    expect(named(after, 'Glue role').found).toBe(role);
    expect(named(after, 'Topic MiniPaymentsAlerts').found).toMatch(/arn:aws:sns:.*, for payments$/);
    expect(named(after, 'Queue')).toMatchObject({ state: 'ok' });
    expect(named(after, 'DuckDB on S3')).toMatchObject({
      state: 'ok',
      found: expect.stringContaining(bed.httpfs),
    });
    expect(named(after, 'Permissions of lake (S3)').found).toBe('6 of 6 granted');
    expect(named(after, 'Permissions of jobs and crawlers (Glue)').found).toBe('1 of 1 granted');
  });

  test('a job of another configuration is told from the one that is wanted, field by field', async () => {
    const report = await doctor({ INGOT_AWS_GLUE_WORKERS: '33' });
    expect(named(report, 'Glue job')).toMatchObject({
      state: 'wrong',
      found: expect.stringMatching(/is not of this release and configuration: NumberOfWorkers$/),
    });
  });

  test('how the bucket is set up is a note, never a fault', async () => {
    const before = await doctor();
    expect(named(before, 'Bucket versioning')).toMatchObject({ state: 'note', found: 'off' });
    expect(named(before, 'Bucket uploads')).toMatchObject({ state: 'note' });
    const s3 = new S3Client(s3OptionsOf(bed));
    const Bucket = aws.bucket;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const all = {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    };
    await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: all }));
    const after = await doctor();
    expect(named(after, 'Bucket versioning')).toMatchObject({ state: 'ok', found: 'on' });
    expect(named(after, 'Bucket public access')).toMatchObject({ state: 'ok', found: 'blocked' });
  });

  test('an action that IAM does not grant is named with its resource and what it is for', async () => {
    const refused: Readonly<Record<string, string>> = {
      'glue:StartJobRun': 'implicitDeny',
      'iam:PassRole': 'explicitDeny',
    };
    await using server = await openIamServer((call) => {
      const actions = Object.entries(call).filter(([name]) => name.startsWith('ActionNames'));
      const decisions = Object.fromEntries(
        actions.map(([, action]) => [action, refused[action] ?? 'allowed']),
      );
      return call['Action'] === 'SimulatePrincipalPolicy'
        ? { body: simulationXml(decisions, call['ResourceArns.member.1']!) }
        : refusal(call);
    });
    const report = await doctor({
      AWS_ENDPOINT_URL_IAM: server.endpoint,
      AWS_ENDPOINT_URL_STS: server.endpoint,
    });
    expect(report.ok).toBe(false);
    const job = `arn:aws:glue:us-east-1:000000000000:job/${aws.env['INGOT_AWS_GLUE_JOB']}`;
    expect(named(report, 'Permission glue:StartJobRun')).toEqual({
      what: 'Permission glue:StartJobRun',
      state: 'wrong',
      found: expect.stringContaining(`on ${job}: models on Spark (Glue) submits a model`),
      remedy: '`ingot doctor --policy` prints a policy that grants all of it.',
    });
    expect(named(report, 'Permission iam:PassRole').found).toMatch(/^denied to .* on arn:aws:iam::/);
    expect(report.findings.filter(({ state }) => state === 'wrong')).toHaveLength(2);
    expect(named(report, 'Glue role')).toMatchObject({
      state: 'note',
      found: 'could not be checked without iam:GetRole',
    });
    expect(named(report, 'Permissions of lake (S3)')).toMatchObject({ state: 'ok' });
  });

  test('the policy that doctor prints grants what doctor asks for, and one action less is noticed', async () => {
    const UserName = `ann-${Date.now()}`;
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    await using sts = await openIamServer(() => ({ body: callerXml(User!.Arn!) }));
    const as = { AWS_ENDPOINT_URL_STS: sts.endpoint };
    const grant = async (PolicyDocument: string) =>
      iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'ingot', PolicyDocument }));
    const refusedBefore = (await doctor(as)).findings.filter(({ what }) => what.startsWith('Permission '));
    expect(refusedBefore.length).toBeGreaterThan(40);
    // The emulator evaluates policies, but without the context that the condition of iam:PassRole asks for.
    const { Statement, ...rest } = JSON.parse(await aws.ingot('doctor', '--policy')) as {
      readonly Statement: readonly { readonly Condition?: object }[];
    };
    const unconditional = Statement.map(({ Condition: _condition, ...statement }) => statement);
    const policy = JSON.stringify({ ...rest, Statement: unconditional });
    await grant(policy);
    expect((await doctor(as)).findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    await grant(policy.replace('"sqs:DeleteMessage"', '"sqs:ListQueues"'));
    const wrong = (await doctor(as)).findings.filter(({ state }) => state === 'wrong');
    expect(wrong.map(({ what }) => what)).toEqual(['Permission sqs:DeleteMessage']);
  });

  test('where IAM may not be asked, permissions are tried, and those that cannot be are said', async () => {
    await using server = await openIamServer(refusal);
    const job = aws.env['INGOT_AWS_GLUE_JOB']!;
    const faults = faultsOf(bed, job);
    await faults.fail('glue:GetJobRuns', {
      code: 'AccessDeniedException',
      message: 'User is not authorized to perform: glue:GetJobRuns',
    });
    const report = await doctor({
      AWS_ENDPOINT_URL_IAM: server.endpoint,
      AWS_ENDPOINT_URL_STS: server.endpoint,
    });
    await faults.clear();
    expect(report.findings.filter(({ state }) => state === 'wrong')).toEqual([
      expect.objectContaining({
        what: 'Permission glue:GetJobRuns',
        found: expect.stringContaining(`:job/${job}: models on Spark (Glue) finds a model again`),
      }),
    ]);
    const tried = report.findings.filter(({ what }) => what === 'Permissions');
    expect(tried[0]?.found).toBe('16 were granted when they were tried');
    expect(tried[1]).toMatchObject({ state: 'note', found: expect.stringContaining('s3:PutObject') });
    expect(tried[1]?.found).toContain('AccessDenied: not authorized to perform: iam:SimulatePrincipalPolicy');
    expect(named(report, 'Permissions of the Glue role')).toMatchObject({ state: 'note' });
    expect(tried[1]?.found).not.toContain('s3:GetObject,');
  });

  test.each([
    ['a bucket that is not there', { INGOT_AWS_BUCKET: 'no-such-bucket-here' }, 'Bucket', /NoSuchBucket/],
    ['a workgroup that is not there', { INGOT_AWS_WORKGROUP: 'nowhere' }, 'Athena workgroup', /nowhere/],
    ['a queue that is not there', { INGOT_AWS_QUEUE: 'http://127.0.0.1:9/000000000000/no' }, 'Queue', /no/],
    [
      'a topic that is not there',
      { INGOT_AWS_TOPICS: 'arn:aws:sns:us-east-1:210987654321:' },
      'Topic MiniPaymentsAlerts',
      /210987654321/,
    ],
    [
      'a role that is not there',
      { INGOT_AWS_GLUE_ROLE: 'arn:aws:iam::000000000000:role/nobody' },
      'Glue role',
      /there is no role/,
    ],
    [
      'a secret that is not there',
      { INGOT_WEBHOOK: 'secretsmanager:no/such' },
      'Secret: URL that receives notifications',
      /secret no\/such/,
    ],
    ['an extension that is none', { INGOT_HTTPFS: import.meta.filename }, 'DuckDB on S3', /./],
  ] as const)('%s is one clear finding', async (_name, env, what, found) => {
    const finding = named(await doctor(env), what);
    expect(finding.state).toBe('wrong');
    expect(finding.found).toMatch(found);
    expect(finding.remedy).not.toBeNull();
  });

  test('without credentials there is one finding, not one for every service', async () => {
    const report = await doctor({
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    });
    expect(named(report, 'AWS identity')).toMatchObject({
      state: 'wrong',
      remedy: expect.stringContaining('AWS_PROFILE'),
    });
    expect(report.findings.filter(({ state }) => state === 'wrong')).toHaveLength(1);
  });

  test('the policy is what IAM takes, for each who needs one', async () => {
    const policy = JSON.parse(await aws.ingot('doctor', '--policy')) as { Version: string };
    expect(policy.Version).toBe('2012-10-17');
    expect(await aws.ingot('doctor', '--policy', 'glue')).toContain('logs:PutLogEvents');
    expect(await aws.ingot('doctor', '--policy', 'verify')).toContain('glue:DeleteCrawler');
    expect(await ingot(home, ['doctor', '--policy', 'nobody'], { ...aws.env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected worker, glue, verify'),
    });
  });
});
