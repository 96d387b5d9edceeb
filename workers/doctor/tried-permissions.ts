import { inspectAthena } from '../../engines/athena/inspect.ts';
import { isPermitted, type Probe } from '../../engines/aws/probe.ts';
import { glueProbes } from '../../engines/glue/probes.ts';
import { inspectBucket } from '../../engines/s3/inspect.ts';
import { awsOptions } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import type { Permission } from '../permissions/permission.ts';
import { note, ok, wrong, type Finding } from './finding.ts';

/** What the findings of topics and of the queue show. */
const shownElsewhere = new Set(['sns:ListTopics', 'sqs:GetQueueAttributes']);

/** Tries what changes nothing, and names what could not be tried. `because` says why IAM was not asked. */
export async function triedFindings(
  config: Config,
  permissions: readonly Permission[],
  because: string,
  remedy: string,
): Promise<readonly Finding[]> {
  const aws = awsOptions(config);
  const opened = [
    inspectBucket(aws, config.bucket!, `${config.keyPrefix}/`),
    glueProbes(aws, config.databasePrefix ?? '', config.glueJob),
    inspectAthena(aws, config.workgroup),
  ];
  const probes: Readonly<Record<string, Probe>> = Object.assign({}, ...opened.map((each) => each.probes));
  const byAction = new Map(permissions.map((permission) => [permission.action, permission]));
  for (const action of shownElsewhere) byAction.delete(action);
  const missing: Finding[] = [];
  const unknown: string[] = [];
  try {
    for (const [action, { component, why, resource }] of byAction) {
      const probe = probes[action];
      const answer = probe === undefined ? null : await isPermitted(probe).catch(() => null);
      if (answer === null) unknown.push(action);
      else if (!answer)
        missing.push(wrong(`Permission ${action}`, `refused on ${resource}: ${component} ${why}`, remedy));
    }
  } finally {
    for (const each of opened) each.close();
  }
  const count = byAction.size - missing.length - unknown.length;
  return [
    ok('Permissions', `${count} were granted when they were tried`),
    ...missing,
    note(
      'Permissions',
      `could not be checked, for IAM was not to be asked (${because}): ${unknown.join(', ')}`,
      'Grant iam:SimulatePrincipalPolicy, or run `npm run verify:aws`, which does the work.',
    ),
  ];
}
