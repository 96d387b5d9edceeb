import { bytes, choice, text, whole, type Setting } from './setting-types.ts';

const arn = (service: string) =>
  text.refine((value) => new RegExp(`^arn:[a-z-]+:${service}:`).test(value), {
    error: `an ARN that begins with arn:aws:${service}:`,
  });

/** What `engine = "aws"` needs to know; credentials, region and endpoints come from AWS's own standard chain. */
export const awsSettings = {
  bucket: {
    key: 'aws.bucket',
    env: 'INGOT_AWS_BUCKET',
    type: text,
    about: 'bucket of the lake; needed with engine aws',
  },
  keyPrefix: {
    key: 'aws.prefix',
    env: 'INGOT_AWS_PREFIX',
    type: text,
    about: 'folder of the bucket that the lake is in',
  },
  region: {
    key: 'aws.region',
    env: 'INGOT_AWS_REGION',
    type: text,
    about: 'region, where AWS_REGION and the profile do not say',
  },
  kmsKey: {
    key: 'aws.kms_key',
    env: 'INGOT_AWS_KMS_KEY',
    type: arn('kms'),
    about: 'KMS key that objects are encrypted with; the bucket’s own default unless given',
  },
  glueRole: {
    key: 'aws.glue.role',
    env: 'INGOT_AWS_GLUE_ROLE',
    type: arn('iam'),
    about: 'role that Glue jobs and crawlers take; without it models compute in the worker only',
  },
  glueJob: {
    key: 'aws.glue.job',
    env: 'INGOT_AWS_GLUE_JOB',
    type: text,
    about: 'name of the Glue job that computes models; `ingot migrate` makes it',
  },
  glueWorkerType: {
    key: 'aws.glue.worker_type',
    env: 'INGOT_AWS_GLUE_WORKER_TYPE',
    type: choice(['G.1X', 'G.2X', 'G.4X', 'G.8X', 'R.1X', 'R.2X', 'R.4X', 'R.8X']),
    about: 'size of a Glue worker',
  },
  glueWorkers: {
    key: 'aws.glue.workers',
    env: 'INGOT_AWS_GLUE_WORKERS',
    type: whole(2, 299),
    about: 'Glue workers of a job, scaled down while they are idle',
  },
  glueConcurrency: {
    key: 'aws.glue.max_concurrent_runs',
    env: 'INGOT_AWS_GLUE_MAX_CONCURRENT_RUNS',
    type: whole(1, 1000),
    about: 'models computed on Glue at the same time',
  },
  databasePrefix: {
    key: 'aws.glue.database_prefix',
    env: 'INGOT_AWS_DATABASE_PREFIX',
    type: text.refine((value) => /^[a-z0-9_]+$/.test(value), { error: 'lower-case letters, digits and _' }),
    about: 'begin of the names of Glue databases, one for each pipeline',
  },
  workgroup: {
    key: 'aws.athena.workgroup',
    env: 'INGOT_AWS_WORKGROUP',
    type: text,
    about: 'Athena workgroup of `ingot query`',
  },
  maxScannedBytes: {
    key: 'aws.athena.max_scanned',
    env: 'INGOT_AWS_MAX_SCANNED',
    type: bytes,
    unit: 'bytes',
    about: 'bytes a query may scan before it is stopped',
  },
  topicPrefix: {
    key: 'aws.sns.topics',
    env: 'INGOT_AWS_TOPICS',
    type: text.refine((value) => value === '*' || /^arn:[a-z-]+:sns:.*:$/.test(value), {
      error: 'the ARN of the topics up to and with the last colon, or *',
    }),
    about:
      'ARN of the SNS topics up to their names, such as arn:aws:sns:eu-west-1:123456789012:, or * to look them up',
  },
  queueUrl: {
    key: 'aws.sqs.queue',
    env: 'INGOT_AWS_QUEUE',
    type: text.refine((value) => URL.canParse(value), { error: 'the URL of a queue' }),
    about: 'SQS queue that `ingot listen` reads events from',
  },
  metricsNamespace: {
    key: 'aws.cloudwatch.namespace',
    env: 'INGOT_AWS_METRICS',
    type: text,
    about: 'CloudWatch namespace of the metrics; none are sent unless given',
  },
} as const satisfies Readonly<Record<string, Setting>>;
