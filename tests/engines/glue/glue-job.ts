import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ensureGlueJob, type GlueJobOptions } from '../../../engines/glue/ensure-job.ts';
import { openGlueCluster } from '../../../engines/glue/sql-cluster.ts';
import { openS3ObjectStore } from '../../../engines/s3/object-store.ts';
import type { JobOrigin } from '../../../ports/sql-cluster.ts';
import { s3OptionsOf } from '../../aws/clients.ts';
import { faultsOf } from '../../aws/faults.ts';
import type { AwsBed } from '../../aws/test-bed.ts';

export const origin: JobOrigin = {
  dagId: 'payments',
  taskId: 'daily',
  runId: '2026-01-01',
  workflowId: 'payments-2026-01-02',
  timeoutMs: 600_000,
};

/** A bucket and a Glue job of a test's own, with the cluster on them. */
export async function openedCluster(bed: AwsBed, options: Partial<GlueJobOptions> = {}) {
  const name = `glue-${randomUUID()}`;
  const s3 = new S3Client(s3OptionsOf(bed));
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  s3.destroy();
  const { endpoint, region } = bed;
  const objects = await openS3ObjectStore({ endpoint, region, bucket: name, prefix: 'lake' });
  const definition = {
    endpoint,
    region,
    jobName: name,
    role: 'arn:aws:iam::000000000000:role/glue',
    objects,
    workerType: 'G.1X',
    workers: 2,
    maxConcurrentRuns: 5,
    ...options,
  };
  const ensured = await ensureGlueJob(definition);
  const cluster = openGlueCluster({ endpoint, region, jobName: name, objects, translate: (sql) => sql });
  return {
    name,
    objects,
    cluster,
    definition,
    ensured,
    faults: faultsOf(bed, name),
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await objects.close();
    },
  };
}
