import { glueJobDifferences } from '../../engines/glue/ensure-job.ts';
import { findRole } from '../../engines/iam/roles.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { awsOptions } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import { glueJobOf } from '../glue-job.ts';
import { looked, note, ok, wrong, type Finding } from './finding.ts';

const migrate = 'Run `ingot migrate`.';

async function jobFinding(config: Config, objects: ObjectStore): Promise<Finding> {
  const wanted = glueJobOf(config, objects);
  const what = 'Glue job';
  if (wanted === null)
    return note(
      what,
      'none: models compute in the worker',
      'Set aws.glue.role to let large ones run on Spark.',
    );
  return looked(what, async () => {
    const differences = await glueJobDifferences(wanted);
    if (differences === null) return wrong(what, `there is no job ${wanted.jobName}`, migrate);
    if (differences.length > 0)
      return wrong(
        what,
        `${wanted.jobName} is not of this release and configuration: ${differences.join(', ')}`,
        migrate,
      );
    return ok(what, `${wanted.jobName}, of this release, ${wanted.workers} × ${wanted.workerType}`);
  });
}

async function roleFinding(config: Config, arn: string): Promise<Finding> {
  const what = 'Glue role';
  return looked(what, async () => {
    const role = await findRole(awsOptions(config), arn.slice(arn.lastIndexOf('/') + 1));
    if (role === null || role.arn !== arn)
      return wrong(what, `there is no role ${arn}`, 'Create the role, or correct aws.glue.role.');
    if (!role.trust.includes('glue.amazonaws.com'))
      return wrong(
        what,
        `${arn} may not be taken by glue.amazonaws.com`,
        'Name the service glue.amazonaws.com in the trust policy of the role.',
      );
    return ok(what, arn);
  });
}

/** The job of models, and the role that it and crawlers take. */
export async function glueFindings(config: Config, objects: ObjectStore): Promise<readonly Finding[]> {
  const { glueRole } = config;
  return [
    await jobFinding(config, objects),
    ...(glueRole === null ? [] : [await roleFinding(config, glueRole)]),
  ];
}
