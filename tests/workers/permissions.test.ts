import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../workers/config.ts';
import { doctorPermissions, verificationPermissions } from '../../workers/permissions/check-permissions.ts';
import { located } from '../../workers/permissions/permission.ts';
import { componentPermissions, policyDocument, policyHolders } from '../../workers/permissions/policy.ts';
import { servicePermissions } from '../../workers/permissions/service-permissions.ts';

const load = (env: Record<string, string>) =>
  loadConfig({ flags: {}, env: { INGOT_CONFIG: '', ...env }, folder: import.meta.dirname });

const services = {
  INGOT_AWS_TOPICS: '*',
  INGOT_AWS_QUEUE: 'https://sqs.eu-west-1.amazonaws.com/123456789012/ingot-events',
  INGOT_AWS_METRICS: 'Ingot',
  INGOT_LEDGER_URL: 'secretsmanager:ingot/ledger',
  INGOT_WAREHOUSE_URL: 'postgres://ann@db/shop',
  INGOT_WAREHOUSE_AUTH: 'iam',
};
const everything = {
  ...services,
  INGOT_ENGINE: 'aws',
  INGOT_AWS_BUCKET: 'my-lake',
  INGOT_AWS_KMS_KEY: 'arn:aws:kms:eu-west-1:123456789012:key/1',
  INGOT_AWS_GLUE_ROLE: 'arn:aws:iam::123456789012:role/ingot-glue',
  INGOT_AWS_DATABASE_PREFIX: 'lake_',
};

/** IAM's names where they are not the call's. */
const actionsOfCalls: Readonly<Record<string, readonly string[]>> = {
  's3:HeadObject': ['s3:GetObject'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  's3:ListMultipartUploads': ['s3:ListBucketMultipartUploads'],
  's3:CreateMultipartUpload': ['s3:PutObject'],
  's3:UploadPart': ['s3:PutObject'],
  's3:UploadPartCopy': ['s3:PutObject', 's3:GetObject'],
  's3:CopyObject': ['s3:PutObject', 's3:GetObject'],
  's3:CompleteMultipartUpload': ['s3:PutObject'],
  's3:DeleteObjects': ['s3:DeleteObject'],
  's3:GetBucketEncryption': ['s3:GetEncryptionConfiguration'],
  's3:GetPublicAccessBlock': ['s3:GetBucketPublicAccessBlock'],
  's3:GetBucketLifecycleConfiguration': ['s3:GetLifecycleConfiguration'],
  // Everybody may ask who they are.
  'sts:GetCallerIdentity': [],
};
const namesOfClients = { 'secrets-manager': 'secretsmanager' } as Readonly<Record<string, string>>;

/** Every call that an adapter can make: its commands and its pages. */
function callsOf(file: string): readonly string[] {
  const imports = readFileSync(file, 'utf8').matchAll(
    /import (?:type )?\{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g,
  );
  return [...imports].flatMap(([, names = '', client = '']) =>
    [...names.matchAll(/\b(?:(\w+)Command|paginate(\w+))\b/g)].map(
      ([, command, paginated]) => `${namesOfClients[client] ?? client}:${command ?? paginated}`,
    ),
  );
}

test('what is not used needs no permission', () => {
  expect(servicePermissions(load({}))).toEqual([]);
});

test('every call that the adapters can make is in the table', () => {
  const config = load(everything);
  const listed = new Set(
    [
      ...componentPermissions(config),
      ...doctorPermissions({ ...config, topicPrefix: 'arn:aws:sns:eu-west-1:123456789012:' }),
      ...verificationPermissions(config),
    ].map(({ action }) => action),
  );
  const engines = join(import.meta.dirname, '../../engines');
  const files = readdirSync(engines, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const calls = new Set(files.flatMap((file) => callsOf(join(engines, file))));
  const needed = [...calls].flatMap((call) => actionsOfCalls[call] ?? [call]);
  expect(calls.size).toBeGreaterThan(50);
  expect(needed.filter((action) => !listed.has(action))).toEqual([]);
});

test('every action that the adapters name when it is refused is in the table', () => {
  const listed = new Set(componentPermissions(load(everything)).map(({ action }) => action));
  const engines = join(import.meta.dirname, '../../engines');
  const named = ['s3', 'sns', 'sqs', 'cloudwatch', 'secretsmanager', 'rds', 'athena', 'glue']
    .flatMap((engine) => readdirSync(join(engines, engine)).map((file) => join(engines, engine, file)))
    .filter((file) => !/inspect|clean-up|read-back/.test(file))
    .flatMap((file) =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /'((?:s3|sns|sqs|cloudwatch|secretsmanager|rds-db|athena|glue):\w+)'/g,
        ),
      ].map(([, action]) => action!),
    );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((action) => !listed.has(action))).toEqual([]);
});

test('resources are as narrow as the configuration tells', () => {
  const config = load({ ...everything, INGOT_AWS_TOPICS: 'arn:aws:sns:eu-west-1:123456789012:' });
  const resources = Object.fromEntries(
    componentPermissions(config).map(({ action, resource }) => [action, resource]),
  );
  expect(resources).toMatchObject({
    's3:PutObject': 'arn:aws:s3:::my-lake/lake/*',
    's3:ListBucket': 'arn:aws:s3:::my-lake',
    'kms:Decrypt': 'arn:aws:kms:eu-west-1:123456789012:key/1',
    'glue:StartJobRun': 'arn:aws:glue:*:*:job/ingot-sql',
    'glue:UpdatePartition': 'arn:aws:glue:*:*:table/lake_*/*',
    'iam:PassRole': 'arn:aws:iam::123456789012:role/ingot-glue',
    'sns:Publish': 'arn:aws:sns:eu-west-1:123456789012:*',
    'sqs:ReceiveMessage': 'arn:aws:sqs:eu-west-1:123456789012:ingot-events',
    'secretsmanager:GetSecretValue': 'arn:aws:secretsmanager:*:*:secret:ingot/ledger-??????',
  });
  expect(resources).not.toHaveProperty('sns:ListTopics');
});

test('an ARN gets the place of the installation where it leaves it open', () => {
  const place = { partition: 'aws-cn', region: 'cn-north-1', account: '210987654321' };
  expect(located('arn:aws:glue:*:*:job/x', place)).toBe('arn:aws-cn:glue:cn-north-1:210987654321:job/x');
  expect(located('arn:aws:s3:::my-lake/lake/*', place)).toBe('arn:aws-cn:s3:::my-lake/lake/*');
  expect(located('*', place)).toBe('*');
});

test('a policy grants every permission of the table, and passes the role to Glue only', () => {
  const config = load(everything);
  const { Statement } = policyDocument(config, 'worker');
  for (const { action, resource } of componentPermissions(config))
    expect(
      Statement.some(({ Action, Resource }) => Action.includes(action) && Resource.includes(resource)),
      `${action} on ${resource}`,
    ).toBe(true);
  expect(Statement.find(({ Action }) => Action.includes('iam:PassRole'))).toMatchObject({
    Action: ['iam:PassRole'],
    Condition: { StringEquals: { 'iam:PassedToService': 'glue.amazonaws.com' } },
  });
  const sids = Statement.map(({ Sid }) => Sid);
  expect(new Set(sids).size).toBe(sids.length);
  expect(sids.every((sid) => /^[A-Za-z0-9]+$/.test(sid))).toBe(true);
  // IAM's own limit for a managed policy, without white space.
  for (const holder of policyHolders)
    expect(JSON.stringify(policyDocument(config, holder)).length, holder).toBeLessThan(6144);
});

test('the role of Glue gets files, logs and raw zones, and no right to start anything', () => {
  const actions = policyDocument(load(everything), 'glue').Statement.flatMap(({ Action }) => Action);
  expect(actions).toContain('s3:PutObject');
  expect(actions).toContain('logs:PutLogEvents');
  expect(actions.filter((action) => /Start|PassRole|DeleteTable/.test(action))).toEqual([]);
});
