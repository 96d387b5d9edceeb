import { inspectAthena } from '../../engines/athena/inspect.ts';
import { isPermitted, type Probe } from '../../engines/aws/probe.ts';
import { glueProbes } from '../../engines/glue/probes.ts';
import { simulate, type Verdict } from '../../engines/iam/simulation.ts';
import { inspectBucket } from '../../engines/s3/inspect.ts';
import { regionOf } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import { located, type AwsPlace, type Permission } from '../permissions/permission.ts';
import { componentPermissions } from '../permissions/policy.ts';
import { note, ok, wrong, type Finding } from './finding.ts';

const remedy = '`ingot doctor --policy` prints a policy that grants all of it.';

/** What is shown by doing it: the findings of databases and secrets. */
const shownElsewhere = new Set(['secretsmanager:GetSecretValue', 'rds-db:connect']);

/** What the findings of topics and of the queue have shown already. */
const tried = new Set(['sns:ListTopics', 'sqs:GetQueueAttributes']);

/** An ARN that the pattern stands for: a question is about one thing, and `*` in it would be a name. */
function example(resource: string): string {
  return resource === '*' ? '*' : resource.replaceAll('*', 'ingot-doctor');
}

function key({ resource, action }: Pick<Verdict, 'resource' | 'action'>): string {
  return `${action} ${resource}`;
}

/** Null when IAM may not be asked. */
async function simulated(
  config: Config,
  caller: string,
  permissions: readonly Permission[],
): Promise<ReadonlyMap<string, Verdict['decision']> | null> {
  const actions = new Map<string, string[]>();
  for (const { resource, action } of permissions) {
    const at = example(resource);
    actions.set(at, [...new Set([...(actions.get(at) ?? []), action])]);
  }
  const questions = [...actions].map(([resource, named]) => ({ resource, actions: named }));
  try {
    const verdicts = await simulate(regionOf(config), caller, questions);
    return new Map(verdicts.map((verdict) => [key(verdict), verdict.decision]));
  } catch {
    return null;
  }
}

/** By component; `missing` names each action that is not granted. */
function summed(
  permissions: readonly Permission[],
  missing: readonly Finding[],
  names: ReadonlySet<string>,
): Finding[] {
  const components = new Map<string, Set<string>>();
  for (const { component, action } of permissions)
    components.set(component, (components.get(component) ?? new Set()).add(action));
  const granted = [...components].flatMap(([component, actions]) =>
    [...actions].some((action) => names.has(`${component} ${action}`))
      ? []
      : [ok(`Permissions of ${component}`, `${actions.size} of ${actions.size} granted`)],
  );
  return [...granted, ...missing];
}

function bySimulation(
  permissions: readonly Permission[],
  verdicts: ReadonlyMap<string, Verdict['decision']>,
  caller: string,
): readonly Finding[] {
  const missing: Finding[] = [];
  const names = new Set<string>();
  for (const { component, action, resource, why } of permissions) {
    const decision = verdicts.get(key({ resource: example(resource), action }));
    if (decision === 'allowed') continue;
    names.add(`${component} ${action}`);
    const what = `Permission ${action}`;
    const by = decision === 'explicitDeny' ? 'denied to' : 'not granted to';
    const found = `${by} ${caller} on ${resource}: ${component} ${why}`;
    // A key's own policy may grant what no policy of the caller does.
    const mayBeGranted = action.startsWith('kms:') && decision !== 'explicitDeny';
    missing.push(
      mayBeGranted
        ? note(what, `${found}; the key’s own policy may grant it`, 'Run `npm run verify:aws -- --only s3`.')
        : wrong(what, found, remedy),
    );
  }
  return summed(permissions, missing, names);
}

async function byProbing(config: Config, permissions: readonly Permission[]): Promise<readonly Finding[]> {
  const aws = regionOf(config);
  const opened = [
    inspectBucket(aws, config.bucket!, `${config.keyPrefix}/`),
    glueProbes(aws, config.databasePrefix ?? '', config.glueJob),
    inspectAthena(aws, config.workgroup),
  ];
  const probes: Readonly<Record<string, Probe>> = Object.assign({}, ...opened.map((each) => each.probes));
  const missing: Finding[] = [];
  const unknown = new Set<string>();
  let granted = 0;
  const untried = permissions.filter(({ action }) => !tried.has(action));
  try {
    for (const [action, { component, why, resource }] of new Map(
      untried.map((each) => [each.action, each]),
    )) {
      const probe = probes[action];
      const answer = probe === undefined ? null : await isPermitted(probe).catch(() => null);
      if (answer === null) unknown.add(action);
      else if (answer) granted += 1;
      else missing.push(wrong(`Permission ${action}`, `refused on ${resource}: ${component} ${why}`, remedy));
    }
  } finally {
    for (const each of opened) each.close();
  }
  return [
    ok('Permissions', `${granted} were granted when they were tried`),
    ...missing,
    ...(unknown.size === 0
      ? []
      : [
          note(
            'Permissions',
            `could not be checked without iam:SimulatePrincipalPolicy: ${[...unknown].join(', ')}`,
            'Grant iam:SimulatePrincipalPolicy, or run `npm run verify:aws`, which does the work.',
          ),
        ]),
  ];
}

/** Every permission that the components need: asked of IAM, or else tried where trying changes nothing. */
export async function permissionFindings(
  config: Config,
  caller: string,
  place: AwsPlace,
): Promise<readonly Finding[]> {
  const permissions = componentPermissions(config)
    .filter(({ action }) => !shownElsewhere.has(action))
    .map((permission) => ({ ...permission, resource: located(permission.resource, place) }));
  const verdicts = await simulated(config, caller, permissions);
  return verdicts === null ? byProbing(config, permissions) : bySimulation(permissions, verdicts, caller);
}
