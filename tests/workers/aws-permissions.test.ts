import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { servicePermissions } from '../../workers/aws-permissions.ts';
import { loadConfig } from '../../workers/config.ts';

const load = (env: Record<string, string>) =>
  loadConfig({ flags: {}, env: { INGOT_CONFIG: '', ...env }, folder: import.meta.dirname });

const everything = {
  INGOT_AWS_TOPICS: '*',
  INGOT_AWS_QUEUE: 'https://sqs.eu-west-1.amazonaws.com/123456789012/ingot-events',
  INGOT_AWS_METRICS: 'Ingot',
  INGOT_LEDGER_URL: 'secretsmanager:ingot/ledger',
  INGOT_WAREHOUSE_URL: 'postgres://ann@db/shop',
  INGOT_WAREHOUSE_AUTH: 'iam',
};

test('what is not used needs no permission', () => {
  expect(servicePermissions(load({}))).toEqual([]);
});

test('every action that the adapters name when it is refused is in the table', () => {
  const listed = new Set(servicePermissions(load(everything)).map(({ action }) => action));
  const named = ['sns', 'sqs', 'cloudwatch', 'secretsmanager', 'rds'].flatMap((engine) => {
    const folder = join(import.meta.dirname, '../../engines', engine);
    return readdirSync(folder).flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [...text.matchAll(/'((?:sns|sqs|cloudwatch|secretsmanager|rds-db):\w+)'/g)].map(
        ([, action]) => action!,
      );
    });
  });
  expect(named.length).toBeGreaterThan(7);
  expect(named.filter((action) => !listed.has(action))).toEqual([]);
});

test('resources are as narrow as the configuration tells', () => {
  const resources = Object.fromEntries(
    servicePermissions(load({ ...everything, INGOT_AWS_TOPICS: 'arn:aws:sns:eu-west-1:123456789012:' })).map(
      ({ action, resource }) => [action, resource],
    ),
  );
  expect(resources).toMatchObject({
    'sns:Publish': 'arn:aws:sns:eu-west-1:123456789012:*',
    'sqs:ReceiveMessage': 'arn:aws:sqs:eu-west-1:123456789012:ingot-events',
    'glue:GetJobRun': 'arn:aws:glue:*:*:job/ingot-sql',
    'secretsmanager:GetSecretValue': 'arn:aws:secretsmanager:*:*:secret:ingot/ledger-??????',
  });
  expect(resources).not.toHaveProperty('sns:ListTopics');
});
