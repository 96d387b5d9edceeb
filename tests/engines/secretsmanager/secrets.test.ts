import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { secretsManager } from '../../../engines/secretsmanager/secrets.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import { resolveSecret } from '../../../workers/config/secret.ts';
import { emulated } from '../../aws/emulated.ts';
import { noBed } from '../../aws/clients.ts';

const bed = inject('aws') ?? noBed;

/** A server that answers every call with one error, as Secrets Manager does. */
async function refusing(status: number, type: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: type, message: 'so it says' }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a missing permission is one clear error that names it', async () => {
  const read = secretsManager(emulated({ ...noBed, endpoint: await refusing(400, 'AccessDeniedException') }));
  const denied = read({ id: 'ledger', key: null }, 'the URL');
  await expect(denied).rejects.toThrow(TerminalError);
  await expect(denied).rejects.toThrow(
    /secret ledger: expected permission for secretsmanager:GetSecretValue/,
  );
});

test.each([
  ['InternalServiceError', 500, RetryableError],
  ['ThrottlingException', 400, RetryableError],
  ['DecryptionFailure', 400, TerminalError],
  ['InvalidRequestException', 400, TerminalError],
])('%s is told apart', async (type, status, kind) => {
  const read = secretsManager(emulated({ ...noBed, endpoint: await refusing(status, type) }));
  await expect(read({ id: 'ledger', key: null }, 'the URL')).rejects.toThrow(kind);
});

describe.skipIf(bed === noBed)(`against emulated Secrets Manager ${inject('awsMissing')}`, () => {
  const aws = emulated(bed);
  const client = new SecretsManagerClient(aws);

  async function create(value: string | object): Promise<{ name: string; arn: string }> {
    const name = `ingot/${randomUUID()}`;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const { ARN } = await client.send(new CreateSecretCommand({ Name: name, SecretString: text }));
    return { name, arn: ARN! };
  }

  test('a secret is its text, by name or ARN, or the value of a key', async () => {
    const read = secretsManager(aws);
    const plain = await create('postgres://u:p@h/d\n');
    const keyed = await create({ url: 'postgres://u:q@h/d', port: 5433 });
    expect(await read({ id: plain.name, key: null }, 'the URL')).toBe('postgres://u:p@h/d');
    expect(await read({ id: plain.arn, key: null }, 'the URL')).toBe('postgres://u:p@h/d');
    expect(await read({ id: keyed.name, key: 'url' }, 'the URL')).toBe('postgres://u:q@h/d');
    expect(await read({ id: keyed.name, key: 'port' }, 'the port')).toBe('5433');
  });

  test('a secret as RDS keeps it becomes a URL, whatever is in the password', async () => {
    const secret = await create({
      engine: 'postgres',
      username: 'ann',
      password: "a:b@c/d?e#f %'é",
      host: 'db.example',
      port: 5433,
      dbname: 'shop',
    });
    const url = new URL(await secretsManager(aws)({ id: secret.name, key: null }, 'the URL'));
    expect([url.hostname, url.port, url.pathname, url.username]).toEqual([
      'db.example',
      '5433',
      '/shop',
      'ann',
    ]);
    expect(decodeURIComponent(url.password)).toBe("a:b@c/d?e#f %'é");
  });

  test('what a secret lacks is named, and its value is in no error', async () => {
    const read = secretsManager(aws);
    const secret = await create({ username: 'ann', password: 'hunter2' });
    for (const [key, message] of [
      [null, /expected the URL: a text, or JSON.*found JSON without host, dbname/],
      ['url', /under the key url; found username, password\./],
    ] as const) {
      const failure = await read({ id: secret.name, key }, 'the URL').catch(
        (error: unknown) => error as Error,
      );
      expect(failure).toBeInstanceOf(TerminalError);
      expect((failure as Error).message).toMatch(message);
      expect(JSON.stringify(failure)).not.toContain('hunter2');
    }
    const mysql = await create({
      engine: 'mysql',
      username: 'a',
      password: 'hunter2',
      host: 'h',
      dbname: 'd',
    });
    await expect(read({ id: mysql.name, key: null }, 'the URL')).rejects.toThrow(/found the engine mysql/);
    await expect(read({ id: 'nobody/made/it', key: null }, 'the URL')).rejects.toThrow(
      /secret nobody\/made\/it.*ResourceNotFoundException.*secretsmanager:GetSecretValue/,
    );
  });

  test('a secret is kept for a while, and a failed question is not', async () => {
    const secret = await create('first');
    const read = secretsManager(aws);
    const anew = secretsManager({ ...aws, keepMs: 0 });
    const name = { id: secret.name, key: null };
    expect([await read(name, 'it'), await anew(name, 'it')]).toEqual(['first', 'first']);
    await client.send(new PutSecretValueCommand({ SecretId: secret.name, SecretString: 'second' }));
    expect([await read(name, 'it'), await anew(name, 'it')]).toEqual(['first', 'second']);
    const late = `ingot/${randomUUID()}`;
    await expect(read({ id: late, key: null }, 'it')).rejects.toThrow(TerminalError);
    await client.send(new CreateSecretCommand({ Name: late, SecretString: 'there now' }));
    expect(await read({ id: late, key: null }, 'it')).toBe('there now');
  });

  test('a reference of the configuration is resolved by whoever reads Secrets Manager', async () => {
    const secret = await create({ url: 'postgres://from-aws/d' });
    const reference = { in: 'secretsmanager', id: secret.name, key: 'url' } as const;
    expect(await resolveSecret(reference, {}, 'the URL', secretsManager(aws))).toBe('postgres://from-aws/d');
  });
});
