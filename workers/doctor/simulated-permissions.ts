import { simulate, type Verdict } from '../../engines/iam/simulation.ts';
import { awsOptions } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import type { Permission } from '../permissions/permission.ts';
import { note, ok, wrong, type Finding } from './finding.ts';

/** An ARN that the pattern stands for: a question is about one thing, and `*` in it would be a name. */
function example(resource: string): string {
  return resource === '*' ? '*' : resource.replaceAll('*', 'ingot-doctor');
}

function key({ resource, action }: Pick<Verdict, 'resource' | 'action'>): string {
  return `${action} ${resource}`;
}

async function decisions(
  config: Config,
  principal: string,
  permissions: readonly Permission[],
): Promise<ReadonlyMap<string, Verdict['decision']>> {
  const actions = new Map<string, Set<string>>();
  for (const { resource, action } of permissions) {
    const at = example(resource);
    actions.set(at, (actions.get(at) ?? new Set()).add(action));
  }
  const questions = [...actions].map(([resource, named]) => ({ resource, actions: [...named] }));
  const verdicts = await simulate(awsOptions(config), principal, questions);
  return new Map(verdicts.map((verdict) => [key(verdict), verdict.decision]));
}

/** Components that lack nothing. */
function granted(permissions: readonly Permission[], missing: ReadonlySet<Permission>): readonly Finding[] {
  const components = Map.groupBy(permissions, ({ component }) => component);
  return [...components].flatMap(([component, needed]) => {
    if (needed.some((permission) => missing.has(permission))) return [];
    const count = new Set(needed.map(({ action }) => action)).size;
    return [ok(`Permissions of ${component}`, `${count} of ${count} granted`)];
  });
}

/** What IAM says to each permission, of a user or role. Throws when it may not be asked. */
export async function simulatedFindings(
  config: Config,
  principal: string,
  permissions: readonly Permission[],
  remedy: string,
): Promise<readonly Finding[]> {
  const found = await decisions(config, principal, permissions);
  const decisionOf = ({ action, resource }: Permission): Verdict['decision'] =>
    found.get(key({ action, resource: example(resource) })) ?? 'implicitDeny';
  const missing = permissions.filter((permission) => decisionOf(permission) !== 'allowed');
  return [
    ...granted(permissions, new Set(missing)),
    ...missing.map((permission) => refused(permission, principal, decisionOf(permission), remedy)),
  ];
}

function refused(
  { component, action, resource, why }: Permission,
  principal: string,
  decision: Verdict['decision'],
  remedy: string,
): Finding {
  const what = `Permission ${action}`;
  const by = decision === 'explicitDeny' ? 'denied to' : 'not granted to';
  const found = `${by} ${principal} on ${resource}: ${component} ${why}`;
  // A key's own policy may grant what no policy of the caller does.
  const mayBeGranted = action.startsWith('kms:') && decision !== 'explicitDeny';
  return mayBeGranted
    ? note(what, `${found}; the key’s own policy may grant it`, 'Run `npm run verify:aws -- --only s3`.')
    : wrong(what, found, remedy);
}
