import type { Config } from '../config.ts';
import type { SecretReference } from '../config/secret.ts';
import type { Permission } from './permission.ts';

type Chosen = Pick<
  Config,
  | 'topicPrefix'
  | 'queueUrl'
  | 'metricsNamespace'
  | 'connections'
  | 'signIn'
  | 'webhook'
  | 'smtp'
  | 'region'
  | 'glueJob'
>;

function notifications({ topicPrefix }: Chosen): Permission[] {
  if (topicPrefix === null) return [];
  const component = 'notifications (SNS)';
  const byName = topicPrefix === '*';
  const publish = {
    component,
    action: 'sns:Publish',
    resource: byName ? 'arn:aws:sns:*:*:*' : `${topicPrefix}*`,
    why: 'tells people what happened',
  };
  if (!byName) return [publish];
  return [publish, { component, action: 'sns:ListTopics', resource: '*', why: 'finds topics by name' }];
}

/** `https://sqs.<region>.amazonaws.com/<account>/<name>` */
function queueArn(url: string): string {
  const [, region, account, name] = /sqs\.([a-z0-9-]+)\.[^/]+\/(\d{12})\/([^/]+)$/.exec(url) ?? [];
  return `arn:aws:sqs:${region ?? '*'}:${account ?? '*'}:${name ?? url.slice(url.lastIndexOf('/') + 1)}`;
}

function events({ queueUrl, glueJob }: Chosen): Permission[] {
  if (queueUrl === null) return [];
  const component = '`ingot listen` (SQS)';
  const resource = queueArn(queueUrl);
  return [
    { component, resource, action: 'sqs:GetQueueAttributes', why: 'looks for the dead-letter queue' },
    { component, resource, action: 'sqs:ReceiveMessage', why: 'reads events' },
    { component, resource, action: 'sqs:ChangeMessageVisibility', why: 'keeps an event while it is handled' },
    { component, resource, action: 'sqs:DeleteMessage', why: 'takes handled events away' },
    {
      component,
      action: 'glue:GetJobRun',
      resource: `arn:aws:glue:*:*:job/${glueJob}`,
      why: 'finds the run that waits for a job',
    },
  ];
}

function metrics({ metricsNamespace }: Chosen): Permission[] {
  if (metricsNamespace === null) return [];
  const why = `delivers numbers to the namespace ${metricsNamespace}`;
  return [{ component: 'metrics (CloudWatch)', action: 'cloudwatch:PutMetricData', resource: '*', why }];
}

function secrets({ connections, webhook, smtp }: Chosen): Permission[] {
  const named: [string, SecretReference | null][] = [
    ...Object.entries(connections).map(([name, each]): [string, SecretReference] => [
      `the ${name} database`,
      each,
    ]),
    ['the webhook', webhook],
    ['the mail server', smtp],
  ];
  return named.flatMap(([what, reference]) =>
    reference?.in === 'secretsmanager'
      ? [
          {
            component: 'secrets (Secrets Manager)',
            action: 'secretsmanager:GetSecretValue',
            // AWS appends six characters to a name.
            resource: reference.id.startsWith('arn:')
              ? reference.id
              : `arn:aws:secretsmanager:*:*:secret:${reference.id}-??????`,
            why: `reads the address of ${what}`,
          },
        ]
      : [],
  );
}

function databases({ signIn, region }: Chosen): Permission[] {
  return Object.entries(signIn).flatMap(([name, { auth }]) =>
    auth === 'iam'
      ? [
          {
            component: 'databases (RDS)',
            action: 'rds-db:connect',
            resource: `arn:aws:rds-db:${region ?? '*'}:*:dbuser:*/*`,
            why: `signs in to the ${name} database; name the instance and user to narrow it`,
          },
        ]
      : [],
  );
}

/** Permissions of notifications, events, metrics, secrets and databases, as the configuration uses them. */
export function servicePermissions(config: Chosen): readonly Permission[] {
  return [notifications, events, metrics, secrets, databases].flatMap((of) => of(config));
}
