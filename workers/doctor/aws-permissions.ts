import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { Config } from '../config.ts';
import { glueRolePermissions } from '../permissions/lake-permissions.ts';
import { located, type AwsPlace, type Permission } from '../permissions/permission.ts';
import { componentPermissions } from '../permissions/policy.ts';
import { note, type Finding } from './finding.ts';
import { simulatedFindings } from './simulated-permissions.ts';
import { triedFindings } from './tried-permissions.ts';

const remedy = '`ingot doctor --policy` prints a policy that grants all of it.';
const roleRemedy = '`ingot doctor --policy glue` prints a policy that grants all of it.';

/** What is shown by doing it: the findings of databases and secrets. */
const shownElsewhere = new Set(['secretsmanager:GetSecretValue', 'rds-db:connect']);

function reason(error: unknown): string {
  if (error instanceof TerminalError || error instanceof RetryableError) return error.facts.found;
  return error instanceof Error ? error.message : String(error);
}

async function ofRole(config: Config, place: AwsPlace): Promise<readonly Finding[]> {
  const { glueRole } = config;
  if (glueRole === null) return [];
  const needed = placed(place, glueRolePermissions(config));
  try {
    return await simulatedFindings(config, glueRole, needed, roleRemedy);
  } catch (error) {
    return [note('Permissions of the Glue role', `could not be checked: ${reason(error)}`, roleRemedy)];
  }
}

async function ofCaller(config: Config, caller: string, place: AwsPlace): Promise<readonly Finding[]> {
  const needed = placed(place, componentPermissions(config)).filter(
    ({ action }) => !shownElsewhere.has(action),
  );
  try {
    return await simulatedFindings(config, caller, needed, remedy);
  } catch (error) {
    return triedFindings(config, needed, reason(error), remedy);
  }
}

function placed(place: AwsPlace, permissions: readonly Permission[]): readonly Permission[] {
  return permissions.map((permission) => ({ ...permission, resource: located(permission.resource, place) }));
}

/** Every permission that the components and the role of Glue need: asked of IAM, or else tried where trying changes nothing. */
export async function permissionFindings(
  config: Config,
  caller: string,
  place: AwsPlace,
): Promise<readonly Finding[]> {
  return [...(await ofCaller(config, caller, place)), ...(await ofRole(config, place))];
}
