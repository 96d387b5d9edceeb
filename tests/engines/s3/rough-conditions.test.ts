import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3ObjectStoreOptions } from '../../../engines/s3/object-store.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { ObjectStore } from '../../../ports/object-store.ts';
import { describeWithBed, emulator, openedStore, plainClient, testBucket } from './emulated-bucket.ts';
import { errorXml, type Fault, first, openFaultProxy, type Seen } from './fault-proxy.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const mebibyte = 1 << 20;

/** A store whose requests pass through a proxy. */
async function openedBehindProxy(options: Partial<S3ObjectStoreOptions> = {}) {
  const proxy = await openFaultProxy(emulator.endpoint);
  const opened = await openedStore({ endpoint: proxy.endpoint, ...options });
  return {
    ...opened,
    proxy,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

async function read(store: ObjectStore, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.get(key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listed(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

async function uploads(prefix: string): Promise<string[]> {
  const client = plainClient();
  const page = await client.send(
    new ListMultipartUploadsCommand({ Bucket: await testBucket(), Prefix: prefix }),
  );
  client.destroy();
  return (page.Uploads ?? []).map((upload) => upload.Key ?? '');
}

async function* inChunks(body: Uint8Array, chunkBytes = 64 << 10): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
}

/** Past the store, which looks at every object it has put. */
async function putAll(prefix: string, keys: readonly string[]): Promise<void> {
  const [client, Bucket] = [plainClient(), await testBucket()];
  for (let at = 0; at < keys.length; at += 40)
    await Promise.all(
      keys
        .slice(at, at + 40)
        .map((key) => client.send(new PutObjectCommand({ Bucket, Key: `${prefix}/${key}`, Body: 'x' }))),
    );
  client.destroy();
}

const isGet = ({ method, url }: Seen) => method === 'GET' && url.includes('x-id=GetObject');
const isPut = ({ method, url }: Seen) => method === 'PUT' && url.includes('x-id=PutObject');
const isPart = ({ url }: Seen) => url.includes('x-id=UploadPart');
const isComplete = ({ method, url }: Seen) => method === 'POST' && url.includes('uploadId=');

describeWithBed('reading', () => {
  test('goes on where the connection broke', async () => {
    await using opened = await openedBehindProxy();
    const body = randomBytes(3 * mebibyte);
    await opened.store.put('k', body);
    opened.proxy.fault = first(2, isGet, { breakAfterBytes: mebibyte });
    expect((await read(opened.store, 'k')).equals(body)).toBe(true);
    const asked = opened.proxy.seen.filter(isGet);
    expect(asked).toHaveLength(3);
    expect(asked[2]!.headers.range).toMatch(/^bytes=\d{7}-$/);
    expect(asked[2]!.headers['if-match']).toMatch(/^".+"$/);
  });

  test('does not mix two contents when the object was replaced after the break', async () => {
    await using opened = await openedBehindProxy();
    await opened.store.put('k', randomBytes(2 * mebibyte));
    opened.proxy.fault = first(1, isGet, { breakAfterBytes: mebibyte });
    const consume = async () => {
      for await (const _ of opened.store.get('k'))
        if (opened.proxy.seen.filter(isPut).length === 1)
          await opened.store.put('k', randomBytes(2 * mebibyte));
    };
    await expect(consume()).rejects.toThrow(/replaced or removed after the connection broke/);
  });

  test('gives up, retryably, when every connection breaks at the same byte', async () => {
    await using opened = await openedBehindProxy();
    await opened.store.put('k', randomBytes(mebibyte));
    let gets = 0;
    opened.proxy.fault = (seen) =>
      isGet(seen) ? { breakAfterBytes: (gets += 1) === 1 ? 1000 : 0 } : undefined;
    const reading = read(opened.store, 'k');
    await expect(reading).rejects.toThrow(RetryableError);
    await expect(reading).rejects.toThrow(/at byte 1000/);
  });

  test('stops at once when aborted, though nothing is answered', async () => {
    await using opened = await openedBehindProxy();
    await opened.store.put('k', bytes('x'));
    const abort = new AbortController();
    opened.proxy.fault = (seen) => {
      if (!isGet(seen)) return undefined;
      abort.abort(new Error('the reader left'));
      return 'silence';
    };
    const reading = async () => {
      for await (const _ of opened.store.get('k', { signal: abort.signal })) expect.unreachable();
    };
    await expect(reading()).rejects.toThrow('the reader left');
  });
});

describeWithBed('writing', () => {
  test('an object of 12 MiB goes up in parts and comes back whole', async () => {
    await using opened = await openedBehindProxy();
    const body = randomBytes(12 * mebibyte);
    const put = await opened.store.put('big', inChunks(body));
    expect(put).toMatchObject({ key: 'big', bytes: body.length });
    expect(put?.etag).toMatch(/-2$/);
    expect(await opened.store.head('big')).toEqual(put);
    expect(opened.proxy.seen.filter(isPart)).toHaveLength(2);
    expect((await read(opened.store, 'big')).equals(body)).toBe(true);
  });

  test('the source of a long body is never read further ahead than a few parts', async () => {
    await using opened = await openedBehindProxy();
    let stored = 0;
    let ahead = 0;
    opened.proxy.answered = (seen) => {
      if (isPart(seen)) stored += Number(seen.headers['content-length']);
    };
    const chunk = randomBytes(mebibyte);
    const source = async function* () {
      for (let given = 1; given <= 80; given += 1) {
        yield chunk;
        ahead = Math.max(ahead, given * mebibyte - stored);
      }
    };
    expect(await opened.store.put('long', source())).toMatchObject({ bytes: 80 * mebibyte });
    expect(ahead).toBeLessThanOrEqual(33 * mebibyte);
  });

  test('a source that breaks off late leaves no parts', async () => {
    await using opened = await openedBehindProxy();
    const source = async function* () {
      yield* inChunks(randomBytes(20 * mebibyte));
      throw new Error('the source broke off');
    };
    await expect(opened.store.put('k', source())).rejects.toThrow('the source broke off');
    expect(opened.proxy.seen.some(isPart)).toBe(true);
    expect(await uploads(opened.prefix)).toEqual([]);
  });

  test('an abort ends an upload that hangs, and takes its parts back', async () => {
    await using opened = await openedBehindProxy();
    const abort = new AbortController();
    let partsSeen = 0;
    opened.proxy.fault = (seen) => {
      if (!isPart(seen) || (partsSeen += 1) < 2) return undefined;
      abort.abort(new Error('enough'));
      return 'silence';
    };
    const putting = opened.store.put('k', inChunks(randomBytes(30 * mebibyte)), { signal: abort.signal });
    await expect(putting).rejects.toThrow('enough');
    expect(await uploads(opened.prefix)).toEqual([]);
    expect(await opened.store.head('k')).toBeNull();
  });

  test('an abort is heard while the source gives nothing', async () => {
    await using opened = await openedBehindProxy();
    const abort = new AbortController();
    const source = async function* () {
      yield bytes('x');
      setImmediate(() => abort.abort(new Error('enough')));
      await new Promise(() => undefined);
    };
    await expect(opened.store.put('k', source(), { signal: abort.signal })).rejects.toThrow('enough');
  });

  test.each([
    ['one request', isPut, bytes('mine')],
    ['parts', isComplete, randomBytes(9 * mebibyte)],
  ])('the first writer whose answer is lost knows that it was the first (%s)', async (_, applies, body) => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = first(1, applies, 'lost');
    const put = await opened.store.put('k', body, { ifAbsent: true });
    expect(put).toEqual(await opened.store.head('k'));
    expect(put).not.toBeNull();
    expect(await opened.store.put('k', body, { ifAbsent: true })).toBeNull();
  });

  test('of twenty writers of large objects that want to be the first, one is', async () => {
    await using opened = await openedBehindProxy();
    const writers = Array.from({ length: 20 }, (_, at) =>
      opened.store.put('k', new Uint8Array(8 * mebibyte + 1).fill(at), { ifAbsent: true }),
    );
    const won = (await Promise.all(writers)).flatMap((info, at) => (info === null ? [] : [at]));
    expect(won).toHaveLength(1);
    expect((await read(opened.store, 'k')).every((byte) => byte === won[0])).toBe(true);
    expect(await uploads(opened.prefix)).toEqual([]);
  });

  test.each([
    ['one request', isPut, bytes('x')],
    ['parts', isComplete, randomBytes(9 * mebibyte)],
  ])('a conflict with another writer is tried again (%s)', async (_, applies, body) => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = first(2, applies, { status: 409, code: 'ConditionalRequestConflict' });
    expect(await opened.store.put('k', body, { ifAbsent: true })).toMatchObject({ bytes: body.length });
  });

  test('an error inside an answer of 200 is an error, and tried again', async () => {
    await using opened = await openedBehindProxy();
    const body = randomBytes(9 * mebibyte);
    opened.proxy.fault = first(1, isComplete, { answer: errorXml('InternalError') });
    await opened.store.put('k', body);
    expect(opened.proxy.seen.filter(isComplete)).toHaveLength(2);
    expect((await read(opened.store, 'k')).equals(body)).toBe(true);
    opened.proxy.fault = (seen) => (isComplete(seen) ? { answer: errorXml('InternalError') } : undefined);
    await expect(opened.store.put('other', body)).rejects.toThrow(RetryableError);
    expect(await uploads(opened.prefix)).toEqual([]);
  });

  test('an object is stored even if S3 then does not say when', async () => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = ({ method }) =>
      method === 'HEAD' ? { status: 403, code: 'AccessDenied' } : undefined;
    expect(await opened.store.put('k', bytes('x'), { ifAbsent: true })).toMatchObject({ bytes: 1 });
  });

  test('in a versioned bucket the latest version is the object', async () => {
    const bucket = `${await testBucket()}-versioned`;
    const client = plainClient();
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: 'Enabled' as const };
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    client.destroy();
    await using opened = await openedStore({ bucket });
    const { store } = opened;
    await store.put('k', bytes('one'));
    const two = await store.put('k', bytes('two'));
    expect(await store.head('k')).toEqual(two);
    await store.remove(['k']);
    expect([await store.head('k'), await listed(store, '')]).toEqual([null, []]);
    await expect(read(store, 'k')).rejects.toThrow(/expected an object; found none/);
    expect(await store.put('k', bytes('three'), { ifAbsent: true })).not.toBeNull();
    expect(await store.put('k', bytes('four'), { ifAbsent: true })).toBeNull();
    expect((await read(store, 'k')).toString()).toBe('three');
  });

  test('what a killed writer left is no object, and can be ended', async () => {
    await using opened = await openedBehindProxy();
    const client = plainClient();
    const at = { Bucket: await testBucket(), Key: `${opened.prefix}/a b+c/half` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
    await client.send(
      new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: randomBytes(5 * mebibyte) }),
    );
    client.destroy();
    expect(await opened.store.head('a b+c/half')).toBeNull();
    expect(await listed(opened.store, '')).toEqual([]);
    expect(await opened.store.abortUploads('', new Date(0))).toBe(0);
    expect(await opened.store.abortUploads('elsewhere/')).toBe(0);
    expect(await opened.store.abortUploads('a b+c/')).toBe(1);
    expect(await uploads(opened.prefix)).toEqual([]);
  });

  test('a configured KMS key is named with everything that is written', async () => {
    await using opened = await openedBehindProxy({
      kmsKeyId: 'alias/lake',
      copySizes: { inOneBytes: 6 * mebibyte, pieceBytes: 5 * mebibyte },
    });
    await opened.store.put('small', bytes('x'));
    await opened.store.put('large', randomBytes(9 * mebibyte));
    await opened.store.copy('small', 'small copy');
    await opened.store.copy('large', 'large copy');
    const named = opened.proxy.seen
      .filter(({ headers }) => headers['x-amz-server-side-encryption-aws-kms-key-id'] === 'alias/lake')
      .map(({ url }) => /x-id=(\w+)/.exec(url)?.[1] ?? /\?(uploads)/.exec(url)?.[1]);
    expect(named).toEqual(['PutObject', 'uploads', 'CopyObject', 'uploads']);
  });
});

describeWithBed('copying, listing and removing', () => {
  test('a large object is copied in pieces, inside S3', async () => {
    await using opened = await openedBehindProxy({
      copySizes: { inOneBytes: 5 * mebibyte, pieceBytes: 5 * mebibyte },
    });
    const body = randomBytes(12 * mebibyte);
    await opened.store.put('from +%ü', body);
    const before = opened.proxy.seen.length;
    const copied = await opened.store.copy('from +%ü', 'to');
    expect(copied).toEqual(await opened.store.head('to'));
    const pieces = opened.proxy.seen.slice(before).filter(({ url }) => url.includes('x-id=UploadPartCopy'));
    expect(pieces).toHaveLength(3);
    expect((await read(opened.store, 'to')).equals(body)).toBe(true);
  });

  test('a source that is replaced while it is looked at is copied as it is then', async () => {
    await using opened = await openedBehindProxy();
    await opened.store.put('from', bytes('old'));
    const isCopy = ({ url }: Seen) => url.includes('x-id=CopyObject');
    opened.proxy.fault = first(1, isCopy, { status: 412, code: 'PreconditionFailed' });
    await opened.store.copy('from', 'to');
    expect((await read(opened.store, 'to')).toString()).toBe('old');
    expect(await opened.store.copy('from', 'from')).toEqual(await opened.store.head('from'));
  });

  test('2,500 keys are listed in order, a page when it is needed, and removed', async () => {
    await using opened = await openedBehindProxy();
    const keys = Array.from({ length: 2500 }, (_, at) => `many/${String(at).padStart(5, '0')}`);
    await putAll(opened.prefix, keys);
    const pages = () => opened.proxy.seen.filter(({ url }) => url.includes('list-type=2')).length;
    const before = pages();
    for await (const _ of opened.store.list('many/')) break;
    expect(pages() - before).toBe(1);
    expect(await listed(opened.store, 'many/')).toEqual(keys);
    expect(pages() - before).toBe(4);
    await opened.store.remove(keys);
    expect(opened.proxy.seen.filter(({ url }) => url.includes('?delete'))).toHaveLength(3);
    expect(await listed(opened.store, '')).toEqual([]);
  }, 180_000);

  test('any character in a key comes back as it was', async () => {
    await using opened = await openedBehindProxy();
    const keys = [
      'a b',
      'a+b',
      'a%20b',
      'a=b&c=d',
      'q?x=1#y',
      'back\\slash',
      'quote"\'<>&amp;',
      'star*[1]{2}',
      'tab\tline\nbell\u0007',
      'é/ü/日本/🙂',
      '%',
      '~!()',
    ];
    for (const key of keys) await opened.store.put(key, bytes(key));
    expect((await listed(opened.store, '')).toSorted()).toEqual(keys.toSorted());
    for (const key of keys) {
      expect((await read(opened.store, key)).toString()).toBe(key);
      await opened.store.copy(key, `copies/${key}`);
      expect((await read(opened.store, `copies/${key}`)).toString()).toBe(key);
    }
    await opened.store.remove([...keys, ...keys.map((key) => `copies/${key}`)]);
    expect(await listed(opened.store, '')).toEqual([]);
  });

  test('a key longer than S3 allows, with the prefix, is refused in words', async () => {
    await using opened = await openedBehindProxy();
    await expect(opened.store.put('ü'.repeat(500), bytes('x'))).rejects.toThrow(/more than the 1024 bytes/);
  });

  const refusal = (key: string, code: string) =>
    `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error><Key>${key}</Key><Code>${code}</Code><Message>no</Message></Error></DeleteResult>`;
  const isDelete = ({ url }: Seen) => url.includes('?delete');

  test('keys of a batch that S3 could not remove just now are tried again', async () => {
    await using opened = await openedBehindProxy();
    await opened.store.put('a', bytes('x'));
    opened.proxy.fault = first(2, isDelete, { answer: refusal(`${opened.prefix}/a`, 'InternalError') });
    await opened.store.remove(['a']);
    expect(await opened.store.head('a')).toBeNull();
    expect(opened.proxy.seen.filter(isDelete)).toHaveLength(3);
  });

  test('keys of a batch that may not be removed are named', async () => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = first(1, isDelete, { answer: refusal(`${opened.prefix}/a`, 'AccessDenied') });
    const removing = opened.store.remove(['a', 'b']);
    await expect(removing).rejects.toThrow(TerminalError);
    await expect(removing).rejects.toThrow(/\/a \(AccessDenied\).*Grant s3:DeleteObject/);
  });
});

describeWithBed('a service that fails', () => {
  const faults: [string, Fault][] = [
    ['SlowDown', { status: 503, code: 'SlowDown' }],
    ['an internal error', { status: 500, code: 'InternalError' }],
    ['a connection reset', 'reset'],
  ];
  test.each(faults)('%s that passes is not noticed; one that stays is retryable', async (_, fault) => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = first(2, isPut, fault);
    expect(await opened.store.put('k', bytes('x'))).toMatchObject({ bytes: 1 });
    opened.proxy.fault = () => fault;
    await expect(opened.store.put('k', bytes('x'))).rejects.toThrow(RetryableError);
    await expect(listed(opened.store, '')).rejects.toThrow(RetryableError);
  });
});

/** The emulator enforces neither policies nor keys: what follows is answered by the proxy as AWS documents it. */
describeWithBed('what only an account can refuse', () => {
  const refusals: [string, number, RegExp][] = [
    ['AccessDenied', 403, /expected permission for s3:ListBucket.*Grant the action/],
    ['InvalidAccessKeyId', 403, /Use an access key that exists/],
    ['SignatureDoesNotMatch', 403, /secret access key does not belong/],
    ['PermanentRedirect', 301, /bucket is in another region: set AWS_REGION/],
    ['AuthorizationHeaderMalformed', 400, /bucket is in another region: set AWS_REGION/],
    ['AllAccessDisabled', 403, /closed to everybody/],
    ['RequestTimeTooSkewed', 403, /clock of this machine is wrong/],
  ];
  test.each(refusals)('opening a store: %s', async (code, status, words) => {
    await using proxy = await openFaultProxy(emulator.endpoint);
    proxy.fault = () => ({ status, code });
    const opening = openedStore({ endpoint: proxy.endpoint });
    await expect(opening).rejects.toThrow(TerminalError);
    await expect(opening).rejects.toThrow(words);
  });

  test('a bucket that is not there (the emulator answers)', async () => {
    await expect(openedStore({ bucket: 'no-such-bucket-here' })).rejects.toThrow(
      /s3:\/\/no-such-bucket-here\/.*NoSuchBucket.*Create the bucket/,
    );
  });

  test('no credentials at all', async () => {
    const none = async () => {
      throw Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      });
    };
    await expect(openedStore({ credentials: none })).rejects.toThrow(/Give credentials by AWS_PROFILE/);
  });

  test.each([
    ['s3:GetObject', (store: ObjectStore) => read(store, 'k')],
    ['s3:GetObject', (store: ObjectStore) => store.head('k')],
    ['s3:PutObject', (store: ObjectStore) => store.put('k', bytes('x'))],
    ['s3:DeleteObject', (store: ObjectStore) => store.remove(['k'])],
    ['s3:ListBucket', (store: ObjectStore) => listed(store, '')],
  ])('a missing permission is named: %s', async (action, call) => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = () => ({ status: 403, code: 'AccessDenied' });
    await expect(call(opened.store)).rejects.toThrow(
      expect.objectContaining({
        name: 'TerminalError',
        message: expect.stringContaining(`permission for ${action}`),
      }),
    );
  });

  test('a session that ended is worth another try, also where the answer has no body', async () => {
    await using opened = await openedBehindProxy();
    opened.proxy.fault = () => ({ status: 400, code: 'ExpiredToken' });
    await expect(opened.store.head('k')).rejects.toThrow(RetryableError);
  });
});
