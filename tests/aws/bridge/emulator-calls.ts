import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { testCredentials } from '../clients.ts';
import { ServiceError, type Fields } from './call.ts';

/** The emulator as the bridge itself uses it. */
export interface EmulatorCalls {
  /** A call of the JSON protocol; throws the ServiceError it answers. */
  call(target: string, input: Fields): Promise<Fields>;
  readonly s3: S3Client;
  readObject(uri: string): Promise<Uint8Array>;
}

export interface S3Place {
  readonly bucket: string;
  readonly key: string;
}

/** Takes `s3://bucket/key` apart; `s3a` means the same. */
export function s3Place(uri: string): S3Place {
  const [, bucket, key = ''] = /^s3[an]?:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? [];
  if (bucket === undefined) throw new ServiceError('InvalidInputException', `not an S3 location: ${uri}`);
  return { bucket, key };
}

const scopes: Readonly<Record<string, string>> = {
  AWSGlue: 'glue',
  AWSEvents: 'events',
  AmazonAthena: 'athena',
};

async function post(port: number, target: string, input: Fields): Promise<Response> {
  const scope = scopes[target.split('.')[0] ?? ''] ?? '';
  const credential = `Credential=test/20260101/us-east-1/${scope}/aws4_request`;
  return await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
  });
}

export function emulatorCalls(emulatorPort: () => Promise<number>): EmulatorCalls {
  const s3 = new S3Client({
    region: 'us-east-1',
    credentials: testCredentials,
    forcePathStyle: true,
    endpoint: async () => ({
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: await emulatorPort(),
      path: '/',
    }),
  });
  return {
    s3,
    call: async (target, input) => {
      const answer = await post(await emulatorPort(), target, input);
      const output = (await answer.json()) as Fields;
      if (answer.ok) return output;
      const code = String(output['__type']).split('#').at(-1) ?? '';
      throw new ServiceError(code, String(output['message'] ?? output['Message']), { status: answer.status });
    },
    readObject: async (uri) => {
      const { bucket, key } = s3Place(uri);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
  };
}
