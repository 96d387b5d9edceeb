import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { inspectBucket } from '../../engines/s3/inspect.ts';
import { awsOptions } from '../aws-watching.ts';
import { unexpected } from './outcome.ts';
import type { Verify } from './verification.ts';

const mebibyte = 1 << 20;
const writers = 20;
/** More than one page of a listing. */
const many = 1005;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function count(objects: AsyncIterable<unknown>): Promise<number> {
  let found = 0;
  for await (const _ of objects) found += 1;
  return found;
}

/** Fixed, and nowhere the same. */
function* pieces(total: number): Generator<Uint8Array> {
  for (let at = 0; at < total; at += mebibyte)
    yield createHash('shake256', { outputLength: mebibyte }).update(String(at)).digest();
}

/** Multipart, conditional writes, long listings, copies and encryption. */
export const verifyS3: Verify = async ({ lake, config }, checks) => {
  const { objects } = lake;
  const whole = Buffer.concat([...pieces(20 * mebibyte)]);

  await checks.check('upload in parts', '20 MiB in 3 parts, read back byte for byte', async () => {
    const info = await objects.put(
      's3/parts',
      (async function* () {
        yield* pieces(20 * mebibyte);
      })(),
    );
    const read = await buffer(objects.get('s3/parts'));
    if (sha256(read) !== sha256(whole)) throw unexpected('the same bytes', `${read.length} other bytes`);
    if (info?.etag.endsWith('-3') !== true) throw unexpected('an ETag of 3 parts', info?.etag ?? 'none');
    return `ETag ${info?.etag}`;
  });

  await checks.check(
    `${writers} writers of one key, each if it is absent`,
    'one of them wins, and its object stands',
    async () => {
      const bodies = Array.from({ length: writers }, (_, at) => Buffer.from(`writer ${at}`));
      const answers = await Promise.all(
        bodies.map((body) => objects.put('s3/race', body, { ifAbsent: true })),
      );
      const winners = answers.flatMap((answer, at) => (answer === null ? [] : [`writer ${at}`]));
      const stands = (await buffer(objects.get('s3/race'))).toString();
      if (winners.length !== 1 || winners[0] !== stands)
        throw unexpected(
          'one winner, whose object stands',
          `${winners.join(', ') || 'nobody'} won; ${stands} stands`,
        );
      return `${stands} of ${writers} won`;
    },
  );

  await checks.check('copy inside S3', 'the same bytes under another key', async () => {
    await objects.copy('s3/race', 's3/copy');
    const [from, to] = await Promise.all(['s3/race', 's3/copy'].map((key) => buffer(objects.get(key))));
    if (!from!.equals(to!)) throw unexpected(from!.toString(), to!.toString());
    return `${to!.length} bytes`;
  });

  await checks.check('encryption', config.kmsKey ?? 'the default of the bucket', async () => {
    const bucket = inspectBucket(awsOptions(config), config.bucket!, '');
    try {
      const key = objects.location('s3/race').slice(`s3://${config.bucket}/`.length);
      const found = await bucket.encryptionOf(key);
      if (config.kmsKey !== null && !found.includes(config.kmsKey)) throw unexpected(config.kmsKey, found);
      return found;
    } finally {
      bucket.close();
    }
  });

  await checks.check(
    `a listing of ${many} objects`,
    `${many} keys, then none after their removal`,
    async () => {
      const keys = Array.from({ length: many }, (_, at) => `s3/many/${String(at).padStart(4, '0')}`);
      for (let at = 0; at < many; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => objects.put(key, Buffer.from(key))));
      const before = await count(objects.list('s3/many/'));
      await objects.remove(keys);
      const after = await count(objects.list('s3/many/'));
      if (before !== many || after !== 0) throw unexpected(`${many}, then 0`, `${before}, then ${after}`);
      return `${before}, then ${after}`;
    },
  );

  await checks.check('an upload that breaks off', 'no object, and no parts left to pay for', async () => {
    const broken = (async function* () {
      yield* pieces(17 * mebibyte);
      throw new RangeError('the source broke');
    })();
    const ended = await objects.put('s3/broken', broken).then(
      () => 'stored',
      (error: Error) => error.name,
    );
    const [object, left] = [await objects.head('s3/broken'), await objects.abortUploads('s3/')];
    if (ended === 'stored' || object !== null || left !== 0)
      throw unexpected(
        'nothing',
        `${ended}, ${object === null ? 'no' : 'an'} object, ${String(left)} uploads`,
      );
    return 'nothing';
  });
};
