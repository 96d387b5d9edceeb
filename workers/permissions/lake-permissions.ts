import type { Config } from '../config.ts';
import type { Permission } from './permission.ts';

export type LakeSettings = Pick<
  Config,
  'bucket' | 'keyPrefix' | 'kmsKey' | 'glueRole' | 'glueJob' | 'databasePrefix' | 'workgroup'
>;

type Reasons = Readonly<Record<string, string>>;

/** One permission for each action and resource. */
function permissions(component: string, resources: readonly string[], reasons: Reasons): Permission[] {
  return Object.entries(reasons).flatMap(([action, why]) =>
    resources.map((resource) => ({ component, action, resource, why })),
  );
}

/** Keys are `<prefix>/…`; without a prefix, the whole bucket. */
export function objectArn({ bucket, keyPrefix }: Pick<Config, 'bucket' | 'keyPrefix'>): string {
  const prefix = keyPrefix.replace(/\/+$/, '');
  return `arn:aws:s3:::${bucket}/${prefix === '' ? '' : `${prefix}/`}*`;
}

function objects(settings: LakeSettings): Permission[] {
  const component = 'lake (S3)';
  return [
    ...permissions(component, [`arn:aws:s3:::${settings.bucket}`], {
      's3:ListBucket': 'finds files, and tells an absent one from a forbidden one',
      's3:ListBucketMultipartUploads': 'finds uploads that a dead worker left',
    }),
    ...permissions(component, [objectArn(settings)], {
      's3:GetObject': 'reads sources and tables',
      's3:PutObject': 'writes tables, documents of jobs and results of queries',
      's3:DeleteObject': 'removes what no reader can reach any more',
      's3:AbortMultipartUpload': 'ends an upload that failed',
    }),
  ];
}

function encryption({ kmsKey }: LakeSettings): Permission[] {
  if (kmsKey === null) return [];
  return permissions('lake (KMS)', [kmsKey], {
    'kms:GenerateDataKey': 'encrypts what is written',
    'kms:Decrypt': 'reads what was encrypted, and completes uploads in parts',
  });
}

function jobs({ glueRole, glueJob }: LakeSettings): Permission[] {
  if (glueRole === null) return [];
  return [
    ...permissions('models on Spark (Glue)', [`arn:aws:glue:*:*:job/${glueJob}`], {
      'glue:StartJobRun': 'submits a model',
      'glue:GetJobRun': 'looks at a model that computes',
      'glue:GetJobRuns': 'finds a model again that was submitted before a crash',
      'glue:BatchStopJobRun': 'ends a model of a run that was cancelled',
    }),
    ...permissions('`ingot migrate` (Glue)', [`arn:aws:glue:*:*:job/${glueJob}`], {
      'glue:GetJob': 'looks at the job',
      'glue:CreateJob': 'makes the job',
      'glue:UpdateJob': 'brings the job up to this release',
    }),
    ...permissions('jobs and crawlers (Glue)', [glueRole], {
      'iam:PassRole': 'lets jobs and crawlers take the role',
    }),
  ];
}

function catalogArns(databases: string): readonly string[] {
  const [catalog, database, table] = ['catalog', `database/${databases}`, `table/${databases}/*`];
  return [catalog, database, table].map((resource) => `arn:aws:glue:*:*:${resource}`);
}

function catalog({ databasePrefix }: LakeSettings): Permission[] {
  const component = 'catalog (Glue)';
  const [root, database, table] = catalogArns(`${databasePrefix ?? ''}*`) as [string, string, string];
  return [
    ...permissions(component, [root, 'arn:aws:glue:*:*:database/*'], {
      'glue:GetDatabases': 'finds what is left of tables that are gone',
    }),
    ...permissions(component, [root, database], {
      'glue:GetDatabase': 'looks for the database of a pipeline',
      'glue:CreateDatabase': 'makes the database of a pipeline',
    }),
    ...permissions(component, [root, database, table], {
      'glue:GetTable': 'compares a table with the ledger',
      'glue:GetTables': 'compares tables with the ledger',
      'glue:CreateTable': 'makes a table',
      'glue:UpdateTable': 'follows a contract that changed',
      'glue:DeleteTable': 'removes a table that is gone',
      'glue:GetPartitions': 'compares partitions with the ledger',
      'glue:BatchGetPartition': 'compares partitions with the ledger; Athena reads them so',
      'glue:BatchCreatePartition': 'shows new partitions',
      'glue:CreatePartition': 'shows a new partition',
      'glue:BatchUpdatePartition': 'shows new versions of partitions',
      'glue:UpdatePartition': 'shows a new version of a partition',
      'glue:BatchDeletePartition': 'removes partitions that are gone',
      'glue:DeletePartition': 'removes a partition that is gone',
    }),
  ];
}

function crawlers({ glueRole, databasePrefix }: LakeSettings): Permission[] {
  if (glueRole === null) return [];
  return permissions(
    'raw zones (Glue crawlers)',
    [`arn:aws:glue:*:*:crawler/${databasePrefix ?? ''}*ingot-*`],
    {
      'glue:GetCrawler': 'looks at a crawl',
      'glue:CreateCrawler': 'makes the crawler of a folder',
      'glue:StartCrawler': 'crawls',
      'glue:StopCrawler': 'ends the crawl of a run that was cancelled',
    },
  );
}

function queries(settings: LakeSettings): Permission[] {
  const component = '`ingot query` (Athena)';
  return [
    ...permissions(component, [`arn:aws:athena:*:*:workgroup/${settings.workgroup}`], {
      'athena:StartQueryExecution': 'asks',
      'athena:GetQueryExecution': 'waits for the answer',
      'athena:GetQueryResults': 'reads the answer',
      'athena:StopQueryExecution': 'stops a query that nobody waits for or that reads too much',
    }),
    ...permissions(component, [`arn:aws:s3:::${settings.bucket}`], {
      's3:GetBucketLocation': 'Athena looks where it is to write results',
    }),
    ...permissions(component, [objectArn(settings)], {
      's3:ListMultipartUploadParts': 'Athena writes large results in parts',
    }),
  ];
}

/** Permissions of the lake: files, models, catalog, crawlers and queries, as the configuration uses them. */
export function lakePermissions(settings: LakeSettings): readonly Permission[] {
  return [objects, encryption, jobs, catalog, crawlers, queries].flatMap((of) => of(settings));
}

/** Permissions of the role that Glue's jobs and crawlers take. */
export function glueRolePermissions(settings: LakeSettings): readonly Permission[] {
  const job = 'the Glue role: models';
  return [
    ...permissions(job, [`arn:aws:s3:::${settings.bucket}`], {
      's3:ListBucket': 'finds files, and tells an absent one from a forbidden one',
      's3:GetBucketLocation': 'a crawler looks where the bucket is',
    }),
    ...permissions(job, [objectArn(settings)], {
      's3:GetObject': 'reads tables, script and document of the job',
      's3:PutObject': 'writes tables and the result of the job',
      's3:DeleteObject': 'removes temporary files of Spark',
      's3:AbortMultipartUpload': 'ends an upload that failed',
    }),
    ...encryption(settings).map((permission) => ({ ...permission, component: job })),
    ...permissions(job, [`arn:aws:glue:*:*:job/${settings.glueJob}`], {
      'glue:GetJobRun': 'two runs of one model agree on which of them computes',
    }),
    ...permissions('the Glue role: logs', ['arn:aws:logs:*:*:log-group:/aws-glue/*'], {
      'logs:CreateLogGroup': 'makes the log',
      'logs:CreateLogStream': 'makes the log of a run',
      'logs:PutLogEvents': 'writes the log',
    }),
    ...permissions('the Glue role: crawlers', catalogArns(`${settings.databasePrefix ?? ''}*raw_zones`), {
      'glue:GetDatabase': 'looks for the database of raw zones',
      'glue:GetTable': 'looks for the table it made before',
      'glue:GetTables': 'looks for tables it made before',
      'glue:CreateTable': 'makes a table of a folder',
      'glue:UpdateTable': 'updates the table of a folder',
      'glue:GetPartitions': 'looks for partitions it made before',
      'glue:BatchGetPartition': 'looks for partitions it made before',
      'glue:BatchCreatePartition': 'makes partitions of folders',
      'glue:UpdatePartition': 'updates partitions of folders',
    }),
  ];
}
