import { DeleteObjectCommand, DeleteObjectsCommand, type _Error } from '@aws-sdk/client-s3';
import { setTimeout as pause } from 'node:timers/promises';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { Bucket } from './bucket.ts';
import { s3Errors } from './errors.ts';

const batchSize = 1000;
const rounds = 4;
/** XML cannot say these, so such a key is removed by a request of its own. */
const notInXml = /[\p{Cc}\ufffe\uffff]/u;

/** Removes all keys; S3 may refuse some of a batch and take the others. */
export async function removeObjects(bucket: Bucket, keys: readonly string[]): Promise<void> {
  for (const key of keys.filter((one) => notInXml.test(one)))
    await bucket.client.send(new DeleteObjectCommand(bucket.at(key))).catch((error: unknown) => {
      throw bucket.error(error, 's3:DeleteObject', key);
    });
  const plain = keys.filter((one) => !notInXml.test(one));
  for (let at = 0; at < plain.length; at += batchSize)
    await removeBatch(bucket, plain.slice(at, at + batchSize));
}

async function removeBatch(bucket: Bucket, keys: readonly string[]): Promise<void> {
  let left = keys;
  for (let round = 1; ; round += 1) {
    const errors = await refused(bucket, left);
    if (errors.length === 0) return;
    const isFinal = errors.some((error) => !isTransient(error));
    if (isFinal || round === rounds) throw removalError(bucket, errors);
    left = errors.map((error) => (error.Key ?? '').slice(bucket.prefix.length));
    await pause(100 * 2 ** round);
  }
}

async function refused(bucket: Bucket, keys: readonly string[]): Promise<readonly _Error[]> {
  try {
    const answer = await bucket.client.send(
      new DeleteObjectsCommand({
        Bucket: bucket.name,
        Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: bucket.prefix + key })) },
      }),
    );
    return answer.Errors ?? [];
  } catch (error) {
    throw bucket.error(error, 's3:DeleteObject', keys[0] ?? '');
  }
}

function isTransient({ Code = '' }: _Error): boolean {
  return s3Errors.retryable.includes(Code) || Code === 'ServiceUnavailable';
}

function removalError(bucket: Bucket, errors: readonly _Error[]): Error {
  const named = errors.slice(0, 10).map(({ Key, Code }) => `${Key} (${Code})`);
  const more = errors.length > named.length ? ` and ${errors.length - named.length} more` : '';
  const facts = {
    place: bucket.location(''),
    expected: 'every object to be removed',
    found: `${named.join(', ')}${more} refused`,
  };
  if (errors.every(isTransient)) return new RetryableError({ ...facts, remedy: 'It is tried again.' });
  return new TerminalError({
    ...facts,
    remedy: 'Grant s3:DeleteObject on these keys to the role, or lift what locks them (object lock).',
  });
}
