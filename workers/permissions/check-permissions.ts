import type { Config } from '../config.ts';
import { objectArn, type LakeSettings } from './lake-permissions.ts';
import type { Permission } from './permission.ts';

/** What `ingot doctor` looks at and nothing else needs: without one of them a finding is "could not be checked". */
export function doctorPermissions({
  bucket,
  workgroup,
  glueRole,
  topicPrefix,
}: LakeSettings & Pick<Config, 'topicPrefix'>): readonly Permission[] {
  const component = '`ingot doctor`';
  const of = (resource: string, ...actions: readonly string[]): Permission[] =>
    actions.map((action) => ({ component, action, resource, why: 'looks whether it is set up well' }));
  return [
    ...of(
      `arn:aws:s3:::${bucket}`,
      's3:GetBucketVersioning',
      's3:GetEncryptionConfiguration',
      's3:GetBucketPublicAccessBlock',
      's3:GetLifecycleConfiguration',
    ),
    ...of(`arn:aws:athena:*:*:workgroup/${workgroup}`, 'athena:GetWorkGroup'),
    ...of('arn:aws:iam::*:*', 'iam:SimulatePrincipalPolicy'),
    ...of('arn:aws:iam::*:role/*', 'iam:GetRole').filter(() => glueRole !== null || topicPrefix !== null),
    ...of(`${topicPrefix ?? ''}*`, 'sns:GetTopicAttributes').filter(
      () => topicPrefix !== null && topicPrefix !== '*',
    ),
  ];
}

/** What the script `verify:aws` does beyond what components do: it reads back, and takes away what it made. */
export function verificationPermissions(config: LakeSettings): readonly Permission[] {
  const component = '`npm run verify:aws`';
  const prefix = config.databasePrefix ?? '';
  const of = (why: string, action: string, ...resources: readonly string[]): Permission[] =>
    resources.map((resource) => ({ component, action, resource, why }));
  return [
    ...of(
      'takes away the crawler it made',
      'glue:DeleteCrawler',
      `arn:aws:glue:*:*:crawler/${prefix}*ingot-*`,
    ),
    ...of(
      'takes away the databases it made',
      'glue:DeleteDatabase',
      'arn:aws:glue:*:*:catalog',
      `arn:aws:glue:*:*:database/${prefix}verify*`,
      `arn:aws:glue:*:*:table/${prefix}verify*/*`,
      `arn:aws:glue:*:*:userDefinedFunction/${prefix}verify*/*`,
    ),
    ...of('reads a number back', 'cloudwatch:GetMetricStatistics', '*'),
    ...of('looks how an object is encrypted', 's3:GetObject', objectArn(config)),
  ];
}
