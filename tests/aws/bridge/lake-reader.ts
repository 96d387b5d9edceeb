import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { CountedReads } from './counted-reads.ts';
import { s3Place, type EmulatorCalls } from './emulator-calls.ts';

export interface StoredFile {
  readonly uri: string;
  readonly bytes: number;
}

/** DuckDB over the emulator's S3, for crawlers and queries. */
export interface LakeReader {
  readonly connection: DuckDBConnection;
  /** Bytes of objects read so far. */
  bytesRead(): number;
  close(): void;
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function named(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function listed(files: readonly StoredFile[]): string {
  return `[${files.map(({ uri }) => quoted(uri)).join(', ')}]`;
}

/** The data files below a location; what Hive hides (`_`, `.`) and empty objects are none. */
export async function filesBelow(emulator: EmulatorCalls, location: string): Promise<StoredFile[]> {
  const { bucket, key } = s3Place(location);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const files: StoredFile[] = [];
  let token: string | undefined;
  do {
    const found = await emulator.s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
    );
    for (const { Key = '', Size = 0 } of found.Contents ?? []) {
      const isHidden = Key.slice(prefix.length)
        .split('/')
        .some((part) => /^[_.]/.test(part));
      if (Size > 0 && !isHidden) files.push({ uri: `s3://${bucket}/${Key}`, bytes: Size });
    }
    token = found.NextContinuationToken;
  } while (token !== undefined);
  return files;
}

export async function openLakeReader(
  httpfs: string,
  reads: CountedReads,
  accessKey: string,
): Promise<LakeReader> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(`load ${quoted(httpfs)}`);
  await connection.run("set timezone = 'UTC'");
  await connection.run(
    `create secret (type s3, key_id ${quoted(accessKey)}, secret 'test', region 'us-east-1',
      endpoint ${quoted(reads.address)}, url_style 'path', use_ssl false)`,
  );
  return {
    connection,
    bytesRead: () => reads.bytesOf(accessKey),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
