import { managedSecrets, resolveSecret, type SecretReference } from '../config/secret.ts';
import { databaseFinding } from '../doctor/database.ts';
import { unexpected } from './outcome.ts';
import type { Verify } from './verification.ts';

export const verifySecrets: Verify = async ({ config, env }, checks) => {
  const { connections, webhook, smtp } = config;
  const named: [string, SecretReference | null][] = [
    ...Object.entries(connections),
    ['webhook', webhook],
    ['smtp', smtp],
  ];
  const managed = named.flatMap(([name, reference]) =>
    reference?.in === 'secretsmanager' ? [{ name, reference }] : [],
  );
  if (managed.length === 0) return checks.skip('secrets', 'none is configured as secretsmanager:<name>');
  for (const { name, reference } of managed)
    await checks.check(`the secret of ${name}`, 'it is read', async () => {
      await resolveSecret(reference, env, `the secret of ${name}`, managedSecrets(config.region));
      return `read, ${reference.id}`;
    });
};

export const verifyDatabases: Verify = async ({ config, env }, checks) => {
  const names = Object.keys(config.connections);
  if (names.length === 0) return checks.skip('databases', 'none is configured');
  for (const name of names) {
    const isIam = config.signIn[name]?.auth === 'iam';
    const expected = `it answers${isIam ? ' to a token of IAM' : ''}, with TLS`;
    await checks.check(`the ${name} database`, expected, async () => {
      const { state, found, remedy } = await databaseFinding(name, config, env);
      if (state !== 'ok') throw unexpected(expected, found, remedy ?? '');
      return found;
    });
  }
};
