import type { IncomingMessage } from 'node:http';

/** One call of a service, whatever its protocol. */
export interface Call {
  /** Named like an IAM action, with the API's own name of the call: `glue:StartJobRun`, `s3:UploadPart`. */
  readonly action: string;
  /** Null for S3, whose bodies are streams. */
  readonly body: Buffer | null;
  /** Address and body, for faults that are meant for one bucket, job or query only. */
  readonly text: string;
}

/** The input or output of a call of the JSON protocol. */
export type Fields = Readonly<Record<string, unknown>>;

/** An error as the service would answer it. */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  readonly more: Fields;
  constructor(code: string, message: string, { status = 400, ...more }: Fields & { status?: number } = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.more = more;
  }
}

export type Handler = (input: Fields) => Promise<Fields> | Fields;
/** By action. */
export type Handlers = Readonly<Record<string, Handler>>;

const services: Readonly<Record<string, string>> = {
  AWSGlue: 'glue',
  AmazonAthena: 'athena',
  AmazonSQS: 'sqs',
  AWSEvents: 'events',
  secretsmanager: 'secretsmanager',
  GraniteServiceVersion20100801: 'cloudwatch',
};

const objectActions: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};
const bucketActions: Readonly<Record<string, string>> = {
  GET: 'ListObjectsV2',
  HEAD: 'HeadBucket',
  PUT: 'CreateBucket',
  DELETE: 'DeleteBucket',
};

/** SDKs say the action in the address; for DuckDB and Spark it follows from method and parameters. */
function s3Action(method: string, url: URL, isCopy: boolean): string {
  const parameters = url.searchParams;
  const said = parameters.get('x-id');
  if (said !== null) return said;
  const isPart = parameters.has('uploadId');
  if (parameters.has('uploads')) return method === 'POST' ? 'CreateMultipartUpload' : 'ListMultipartUploads';
  if (isPart && method === 'PUT') return isCopy ? 'UploadPartCopy' : 'UploadPart';
  if (isPart && method === 'POST') return 'CompleteMultipartUpload';
  if (isPart) return method === 'DELETE' ? 'AbortMultipartUpload' : 'ListParts';
  if (parameters.has('delete')) return 'DeleteObjects';
  if (parameters.has('versions')) return 'ListObjectVersions';
  if (isCopy) return 'CopyObject';
  const isObject = /^\/[^/]+\/./.test(url.pathname);
  return (isObject ? objectActions : bucketActions)[method] ?? method;
}

/** Not every client writes `%` as the SDK does. */
function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function header(incoming: IncomingMessage, name: string): string {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join() : (value ?? '');
}

/** Reads which call a request is; the body too, except S3's. */
export async function readCall(incoming: IncomingMessage): Promise<Call> {
  const { method = 'GET', url: address = '/' } = incoming;
  const url = new URL(address, 'http://bridge');
  const [prefix = '', target] = header(incoming, 'x-amz-target').split('.');
  const scope = /Credential=[^/]*\/\d+\/[^/]*\/([^/]*)\//.exec(header(incoming, 'authorization'))?.[1];
  const isForm = header(incoming, 'content-type').startsWith('application/x-www-form-urlencoded');
  if (target === undefined && !isForm && (scope === undefined || scope === 's3')) {
    const action = s3Action(method, url, incoming.headers['x-amz-copy-source'] !== undefined);
    return { action: `s3:${action}`, body: null, text: decoded(address) };
  }
  const body = await readAll(incoming);
  const service = services[prefix.split('_')[0] ?? ''] ?? scope ?? prefix;
  const named = target ?? new URLSearchParams(isForm ? body.toString() : '').get('Action');
  const text = `${address} ${body.toString('utf8')}`;
  return { action: `${service}:${named ?? url.pathname.split('/').at(-1)}`, body, text };
}
