import {
  SQSClient,
  CreateQueueCommand,
  SendMessageCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { faultsOf } from './faults.ts';
import { clientOptionsOf, noBed, s3OptionsOf } from './clients.ts';

const bed = inject('aws') ?? noBed;

describe.skipIf(bed === noBed)(`the AWS test bed ${inject('awsMissing')}`, () => {
  const options = clientOptionsOf(bed);
  const s3 = new S3Client(s3OptionsOf(bed));

  test('hands objects through byte for byte, in parts too', async () => {
    const bucket = `bed-${randomUUID()}`;
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const bytes = randomBytes(11 * 1024 ** 2);
    const upload = new Upload({
      client: s3,
      partSize: 5 * 1024 ** 2,
      params: { Bucket: bucket, Key: 'a folder/ä+b=1/part.bin', Body: bytes },
    });
    await upload.done();
    const read = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'a folder/ä+b=1/part.bin' }));
    const found = Buffer.from((await read.Body?.transformToByteArray()) ?? []);
    expect(found.equals(bytes)).toBe(true);
    expect(read.ETag).toMatch(/-3"$/);
  });

  test('gives queues addresses that lead through the bridge', async () => {
    const sqs = new SQSClient(options);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `bed-${randomUUID()}` }));
    expect(QueueUrl).toMatch(new RegExp(`^${bed.endpoint}/`));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(['hello']);
  });

  test('does to the calls that are meant, and to no others, what a test asks for', async () => {
    const bucket = `bed-${randomUUID()}`;
    const once = new S3Client({ ...s3OptionsOf(bed), maxAttempts: 1 });
    const object = { Bucket: bucket, Key: 'a' };
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await s3.send(new PutObjectCommand({ ...object, Body: randomBytes(200_000) }));
    const read = async (): Promise<number> => {
      const { Body } = await once.send(new GetObjectCommand(object));
      return (await Body?.transformToByteArray())?.length ?? 0;
    };
    const others = faultsOf(bed, `not-${bucket}`);
    await others.fail('s3:GetObject', { code: 'SlowDown', status: 503 });
    expect(await read()).toBe(200_000);
    const faults = faultsOf(bed, bucket);
    await faults.fail('s3:GetObject', { code: 'SlowDown', status: 503 });
    await expect(read()).rejects.toMatchObject({ name: 'SlowDown', $metadata: { httpStatusCode: 503 } });
    await faults.inject('s3:GetObject', { kind: 'reset' });
    await expect(read()).rejects.toMatchObject({ code: 'ECONNRESET' });
    await faults.inject('s3:*', { kind: 'cut', afterBytes: 70_000 });
    await expect(read()).rejects.toThrow('aborted');
    await faults.inject('s3:GetObject', { kind: 'delay', ms: 10 });
    expect(await read()).toBe(200_000);
    await faults.inject('s3:PutObject', { kind: 'lose-answer' });
    const overwrite = once.send(new PutObjectCommand({ ...object, Body: 'short' }));
    await expect(overwrite).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await read()).toBe(5);
    expect(await faults.calls('s3:GetObject')).toBe(6);
    await others.clear();
  });
});
