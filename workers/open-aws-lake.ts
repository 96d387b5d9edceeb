import { awsOptions } from './aws-watching.ts';
import { awsCredentials } from '../engines/aws/credentials.ts';
import type { S3Access } from '../engines/duckdb/s3-access.ts';
import { openS3ObjectStore, type S3ObjectStore } from '../engines/s3/object-store.ts';
import { regionOf } from '../engines/s3/region.ts';
import type { CatalogLog } from '../ports/catalog-log.ts';
import type { PartitionLog } from '../ports/ledger.ts';
import type { Config } from './config.ts';
import { glueJobOf } from './glue-job.ts';
import type { Lake } from './open-lake.ts';

/** Of a ledger it needs only what catalog and queries read. */
export interface AwsLake extends Lake {
  readonly objects: S3ObjectStore;
  readonly s3: S3Access;
  openQueries(ledger: Pick<PartitionLog, 'tables'>): ReturnType<Lake['openQueries']>;
  openCatalog(ledger: CatalogLog & Pick<PartitionLog, 'tables'>): ReturnType<Lake['openCatalog']>;
}

/** A lake on S3: Glue computes and lists, Athena answers. */
export async function openAwsLake(config: Config, env: NodeJS.ProcessEnv): Promise<AwsLake> {
  const aws = awsOptions(config);
  const { bucket, keyPrefix, kmsKey, httpfs } = config;
  const prefix = config.databasePrefix ?? '';
  const region = await regionOf(aws);
  const objects = await openS3ObjectStore({
    ...aws,
    bucket: bucket!,
    prefix: keyPrefix,
    ...(kmsKey === null ? {} : { kmsKeyId: kmsKey }),
  });
  const endpoint = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const s3: S3Access = {
    region,
    credentials: awsCredentials({ region }),
    ...(endpoint === undefined ? {} : { endpoint, urlStyle: 'path' as const }),
    ...(httpfs === null ? {} : { extension: httpfs }),
  };
  return {
    objects,
    s3,
    openQueries: async (ledger) => {
      const { openAthenaQueryService } = await import('../engines/athena/query-service.ts');
      return openAthenaQueryService({
        ...aws,
        workgroup: config.workgroup,
        ledger,
        prefix,
        outputLocation: objects.location('query-results/'),
        maxScannedBytes: config.maxScannedBytes,
      });
    },
    prepare: async () => {
      const wanted = glueJobOf(config, objects);
      if (wanted === null) return ['No Glue job: aws.glue.role is not set, so models compute in the worker.'];
      const { ensureGlueJob } = await import('../engines/glue/ensure-job.ts');
      const { job, changes } = await ensureGlueJob(wanted);
      const changed = changes.length === 0 ? '' : `: ${changes.join(', ')}`;
      return [`Glue job ${config.glueJob}: ${job}${changed}.`];
    },
    openCatalog: async (ledger) => {
      const { openGlueCatalog } = await import('../engines/glue/catalog.ts');
      return openGlueCatalog({ ...aws, prefix, ledger, objects });
    },
    openElsewhere: async () => {
      const { glueRole, glueJob: jobName, enginePreference: preference, sparkFromBytes: fromBytes } = config;
      if (glueRole === null) return { close: async () => {} };
      const [{ openGlueCluster }, { openGlueCrawler }, { toSpark: translate }] = await Promise.all([
        import('../engines/glue/sql-cluster.ts'),
        import('../engines/glue/raw-crawler.ts'),
        import('../engines/spark-sql/to-spark.ts'),
      ]);
      const cluster = openGlueCluster({ ...aws, jobName, objects, translate });
      const crawler = await openGlueCrawler({
        ...aws,
        role: glueRole,
        prefix: `${prefix}ingot-`,
        database: `${prefix}raw_zones`,
        objects,
      });
      return {
        cluster: { cluster, preference, fromBytes },
        crawler,
        close: async () => {
          await Promise.all([cluster.close(), crawler.close()]);
        },
      };
    },
    close: () => objects.close(),
  };
}
