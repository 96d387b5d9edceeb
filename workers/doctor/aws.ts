import { callerIdentity, type CallerIdentity } from '../../engines/iam/identity.ts';
import { openS3ObjectStore } from '../../engines/s3/object-store.ts';
import { regionOf } from '../../engines/s3/region.ts';
import { awsOptions } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import { bucketFindings } from './aws-bucket.ts';
import { glueFindings } from './aws-glue.ts';
import { permissionFindings } from './aws-permissions.ts';
import { httpfsFinding, messagingFindings, secretFindings, workgroupFinding } from './aws-services.ts';
import { failed, ok, type Finding } from './finding.ts';

async function identified<T>(
  look: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await look() };
  } catch (error) {
    return { error };
  }
}

/** The bucket, and what is looked at through it. */
async function lakeFindings(config: Config): Promise<readonly Finding[]> {
  const { bucket, keyPrefix, kmsKey } = config;
  const opened = await identified(() =>
    openS3ObjectStore({
      ...awsOptions(config),
      bucket: bucket!,
      prefix: keyPrefix,
      ...(kmsKey === null ? {} : { kmsKeyId: kmsKey }),
    }),
  );
  if ('error' in opened) return [failed('Bucket', opened.error)];
  const objects = opened.value;
  try {
    return [
      ...(await bucketFindings(config, objects.location(''))),
      ...(await glueFindings(config, objects)),
    ];
  } finally {
    await objects.close();
  }
}

/** Looks at everything in AWS that the configuration names, and at every permission. Without credentials there is nothing else to say. */
export async function awsFindings(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const region = await identified(() => regionOf(awsOptions(config)));
  if ('error' in region) return [failed('AWS region', region.error)];
  const caller = await identified(() => callerIdentity({ region: region.value }));
  if ('error' in caller) return [failed('AWS identity', caller.error)];
  const { account, arn }: CallerIdentity = caller.value;
  const place = { partition: arn.split(':')[1] ?? 'aws', region: region.value, account };
  const found = await Promise.all([
    lakeFindings(config),
    workgroupFinding(config),
    messagingFindings(config),
    secretFindings(config, env),
    httpfsFinding(config),
    permissionFindings(config, arn, place),
  ]);
  return [ok('AWS identity', arn), ok('AWS region', `${region.value}, account ${account}`), ...found.flat()];
}
