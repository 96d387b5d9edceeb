import {
  AbortMultipartUploadCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import type { Probe } from '../aws/probe.ts';
import { s3Errors } from './errors.ts';

/** How a bucket is set up. Every answer is asked for when it is read, and throws for itself. */
export interface BucketInspection {
  isVersioned(): Promise<boolean>;
  /** `aws:kms (key …)`, `AES256`; null when there is no default. */
  encryption(): Promise<string | null>;
  isClosedToPublic(): Promise<boolean>;
  /** How an object is stored: `aws:kms (key …)`, `AES256`. */
  encryptionOf(key: string): Promise<string>;
  /** Days after which uploads that nobody completed are ended; null when they are kept for ever. */
  incompleteUploadDays(): Promise<number | null>;
  /** By IAM action. */
  readonly probes: Readonly<Record<string, Probe>>;
  close(): void;
}

export function inspectBucket(options: AwsOptions, bucket: string, prefix: string): BucketInspection {
  const { endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'] } = options;
  const client = new S3Client({
    ...clientOptions(options),
    forcePathStyle: endpoint !== undefined,
  });
  const Bucket = bucket;
  /** Null for the error by which S3 says that nothing of the kind is set up. */
  const answer = async <T>(action: string, nothing: string, call: () => Promise<T>): Promise<T | null> => {
    try {
      return await call();
    } catch (error) {
      if (error instanceof Error && error.name === nothing) return null;
      throw awsError(error, s3Errors, action, `s3://${bucket}`);
    }
  };
  return {
    isVersioned: async () => {
      const found = await answer('s3:GetBucketVersioning', '', () =>
        client.send(new GetBucketVersioningCommand({ Bucket })),
      );
      return found?.Status === 'Enabled';
    },
    encryption: async () => {
      const found = await answer(
        's3:GetEncryptionConfiguration',
        'ServerSideEncryptionConfigurationNotFoundError',
        () => client.send(new GetBucketEncryptionCommand({ Bucket })),
      );
      const rule = found?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      if (rule === undefined) return null;
      return `${rule.SSEAlgorithm}${rule.KMSMasterKeyID === undefined ? '' : ` (key ${rule.KMSMasterKeyID})`}`;
    },
    isClosedToPublic: async () => {
      const found = await answer(
        's3:GetBucketPublicAccessBlock',
        'NoSuchPublicAccessBlockConfiguration',
        () => client.send(new GetPublicAccessBlockCommand({ Bucket })),
      );
      const { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets } =
        found?.PublicAccessBlockConfiguration ?? {};
      return [BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets].every(
        (set) => set === true,
      );
    },
    encryptionOf: async (Key) => {
      const found = await answer('s3:GetObject', '', () =>
        client.send(new HeadObjectCommand({ Bucket, Key: prefix + Key })),
      );
      const key = found?.SSEKMSKeyId;
      return `${found?.ServerSideEncryption ?? 'none'}${key === undefined ? '' : ` (key ${key})`}`;
    },
    incompleteUploadDays: async () => {
      const found = await answer('s3:GetLifecycleConfiguration', 'NoSuchLifecycleConfiguration', () =>
        client.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
      );
      const days = (found?.Rules ?? [])
        .filter(({ Status }) => Status === 'Enabled')
        .flatMap(({ AbortIncompleteMultipartUpload: end }) => end?.DaysAfterInitiation ?? []);
      return days.length === 0 ? null : Math.min(...days);
    },
    probes: {
      's3:ListBucket': () => client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 })),
      's3:ListBucketMultipartUploads': () =>
        client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix, MaxUploads: 1 })),
      's3:GetBucketLocation': () => client.send(new GetBucketLocationCommand({ Bucket })),
      's3:GetObject': () => client.send(new HeadObjectCommand({ Bucket, Key: `${prefix}ingot-doctor` })),
      's3:AbortMultipartUpload': () =>
        client.send(
          new AbortMultipartUploadCommand({ Bucket, Key: `${prefix}ingot-doctor`, UploadId: 'ingot-doctor' }),
        ),
    },
    close: () => client.destroy(),
  };
}
