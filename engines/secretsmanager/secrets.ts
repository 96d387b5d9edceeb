import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { TerminalError } from '../../ports/errors.ts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { databaseUrl } from './database-url.ts';
import { secretsManagerErrors } from './errors.ts';

export interface SecretName {
  /** Name or ARN. */
  readonly id: string;
  /** Of a secret that is JSON; null for all of it. */
  readonly key: string | null;
}

/** Reads secrets; `what` says for messages what the secret is. The value is in no error. */
export type ReadSecret = (secret: SecretName, what: string) => Promise<string>;

export interface SecretsOptions extends AwsOptions {
  /** How long a secret is not asked for again; five minutes unless told. */
  readonly keepMs?: number;
}

const action = 'secretsmanager:GetSecretValue';

function fieldsOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** The value of one key, or the whole text; of a secret as RDS keeps it, the URL of its database. */
function chosen(text: string, { id, key }: SecretName, what: string): string {
  const fields = fieldsOf(text);
  const place = `secret ${id}`;
  if (key === null) return fields === null ? text.trim() : databaseUrl(fields, place, what);
  const value = fields?.[key];
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  const keys = fields === null ? 'a secret that is not JSON' : Object.keys(fields).join(', ') || 'no keys';
  throw new TerminalError({
    place,
    expected: `${what} under the key ${key}`,
    found: keys,
    remedy: 'Name a key the secret has, after the #, or leave it out.',
  });
}

/** Reads Secrets Manager. */
export function secretsManager(options: SecretsOptions): ReadSecret {
  const client = new SecretsManagerClient(clientOptions(options));
  const keepMs = options.keepMs ?? 300_000;
  const kept = new Map<string, { readonly text: Promise<string>; readonly until: number }>();

  async function fetchText(id: string, what: string): Promise<string> {
    const place = `secret ${id}`;
    let answer;
    try {
      answer = await client.send(new GetSecretValueCommand({ SecretId: id }));
    } catch (error) {
      throw awsError(error, secretsManagerErrors, action, place);
    }
    if (answer.SecretString !== undefined) return answer.SecretString;
    if (answer.SecretBinary !== undefined) return Buffer.from(answer.SecretBinary).toString('utf8');
    throw new TerminalError({
      place,
      expected: what,
      found: 'a secret without a value',
      remedy: 'Give the secret a value.',
    });
  }

  return async (secret, what) => {
    const known = kept.get(secret.id);
    const text = known !== undefined && known.until > Date.now() ? known.text : fetchText(secret.id, what);
    if (text !== known?.text) {
      kept.set(secret.id, { text, until: Date.now() + keepMs });
      text.catch(() => kept.delete(secret.id));
    }
    return chosen(await text, secret, what);
  };
}
