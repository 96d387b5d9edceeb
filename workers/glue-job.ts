import type { GlueJobOptions } from '../engines/glue/ensure-job.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { awsOptions } from './aws-watching.ts';
import type { Config } from './config.ts';

/** The Glue job of the configuration; null when models compute in the worker only. */
export function glueJobOf(config: Config, objects: ObjectStore): GlueJobOptions | null {
  const { glueRole: role, glueJob: jobName, glueWorkerType, glueWorkers, glueConcurrency } = config;
  if (role === null) return null;
  return {
    ...awsOptions(config),
    jobName,
    role,
    objects,
    workerType: glueWorkerType,
    workers: glueWorkers,
    maxConcurrentRuns: glueConcurrency,
  };
}
