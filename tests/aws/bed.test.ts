import {
  SQSClient,
  CreateQueueCommand,
  SendMessageCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
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
});
