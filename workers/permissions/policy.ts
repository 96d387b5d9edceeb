import type { Config } from '../config.ts';
import { doctorPermissions, verificationPermissions } from './check-permissions.ts';
import { glueRolePermissions, lakePermissions } from './lake-permissions.ts';
import type { Permission } from './permission.ts';
import { servicePermissions } from './service-permissions.ts';

/** Who a policy is for: what runs Ingot, the role that Glue takes, or who checks an account. */
export const policyHolders = ['worker', 'glue', 'verify'] as const;
export type PolicyHolder = (typeof policyHolders)[number];

/** All that the components of this installation need. */
export function componentPermissions(config: Config): readonly Permission[] {
  return [...lakePermissions(config), ...servicePermissions(config)];
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Effect: 'Allow';
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  }[];
}

function held(config: Config, holder: PolicyHolder): readonly Permission[] {
  if (holder === 'glue') return glueRolePermissions(config);
  const worker = [...componentPermissions(config), ...doctorPermissions(config)];
  return holder === 'worker' ? worker : [...worker, ...verificationPermissions(config)];
}

/** Letters and digits only, as IAM takes. */
function sid(component: string, at: number): string {
  const words = component.match(/[A-Za-z0-9]+/g) ?? [];
  return `${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}${at}`;
}

/** A role is passed to Glue and to nobody else. */
function condition(actions: readonly string[]) {
  if (!actions.includes('iam:PassRole')) return {};
  return { Condition: { StringEquals: { 'iam:PassedToService': 'glue.amazonaws.com' } } };
}

/** The IAM policy that grants what the installation needs: a statement for each component and set of resources. */
export function policyDocument(config: Config, holder: PolicyHolder): PolicyDocument {
  const permissions = held(config, holder);
  const resourcesOf = new Map<string, string[]>();
  for (const { component, action, resource } of permissions) {
    const key = `${component}\n${action}`;
    resourcesOf.set(key, [...(resourcesOf.get(key) ?? []), resource]);
  }
  const statements = new Map<string, { component: string; actions: string[]; resources: string[] }>();
  for (const [key, resources] of resourcesOf) {
    const [component = '', action = ''] = key.split('\n');
    const group = `${component}\n${resources.join()}`;
    const known = statements.get(group);
    if (known === undefined) statements.set(group, { component, actions: [action], resources });
    else known.actions.push(action);
  }
  return {
    Version: '2012-10-17',
    Statement: [...statements.values()].map(({ component, actions, resources }, at) => ({
      Sid: sid(component, at + 1),
      Effect: 'Allow',
      Action: actions,
      Resource: [...new Set(resources)],
      ...condition(actions),
    })),
  };
}
