import { IAMClient, paginateSimulatePrincipalPolicy } from '@aws-sdk/client-iam';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { iamErrors } from './errors.ts';
import { findRole } from './roles.ts';

export interface Question {
  readonly resource: string;
  readonly actions: readonly string[];
}

export interface Verdict {
  readonly resource: string;
  readonly action: string;
  /** `implicitDeny`: nothing grants it; `explicitDeny`: something forbids it. */
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny';
}

/**
 * The user or role whose policies count for a caller: of a session, the role it has taken. Null for the account itself, which may do everything.
 * A session does not tell its role's path, which IAM is asked for.
 */
async function principalOf(options: AwsOptions, caller: string): Promise<string | null> {
  if (caller.endsWith(':root')) return null;
  const session = /^arn:([a-z-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(caller);
  if (session === null) return caller;
  const [, partition, account, role = ''] = session;
  const found = await findRole(options, role).catch(() => null);
  return found?.arn ?? `arn:${partition}:iam::${account}:role/${role}`;
}

/**
 * What the caller's policies, and those of its organization, say to each action. Policies of a bucket, queue, topic or key are not asked: they may grant
 * what is denied here, and deny what is granted. Throws TerminalError when the question itself is not permitted.
 */
export async function simulate(
  options: AwsOptions,
  caller: string,
  questions: readonly Question[],
): Promise<readonly Verdict[]> {
  const client = new IAMClient(clientOptions(options));
  try {
    const principal = await principalOf(options, caller);
    const verdicts: Verdict[] = [];
    for (const question of questions)
      verdicts.push(...(principal === null ? allowed(question) : await ask(client, principal, question)));
    return verdicts;
  } catch (error) {
    throw awsError(error, iamErrors, 'iam:SimulatePrincipalPolicy', caller);
  } finally {
    client.destroy();
  }
}

function allowed({ resource, actions }: Question): readonly Verdict[] {
  return actions.map((action) => ({ resource, action, decision: 'allowed' }));
}

async function ask(
  client: IAMClient,
  principal: string,
  { resource, actions }: Question,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const pages = paginateSimulatePrincipalPolicy(
    { client },
    {
      PolicySourceArn: principal,
      ActionNames: [...actions],
      ResourceArns: [resource],
      ContextEntries: [
        {
          ContextKeyName: 'iam:PassedToService',
          ContextKeyType: 'string',
          ContextKeyValues: ['glue.amazonaws.com'],
        },
      ],
    },
  );
  for await (const { EvaluationResults = [] } of pages)
    for (const { EvalActionName = '', EvalDecision = 'implicitDeny' } of EvaluationResults)
      verdicts.push({ resource, action: EvalActionName, decision: EvalDecision });
  return verdicts;
}
