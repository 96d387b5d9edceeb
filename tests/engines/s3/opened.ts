import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Access } from '../../../engines/duckdb/s3-access.ts';
import { openDuckDbSqlEngine } from '../../../engines/duckdb/sql-engine.ts';
import type { S3ObjectStoreOptions } from '../../../engines/s3/object-store.ts';
import { testCredentials } from '../../aws/clients.ts';
import { emulator, openedStore } from './emulated-bucket.ts';

function s3Access(parts: Partial<S3Access> = {}): S3Access {
  const { endpoint, region, httpfs } = emulator;
  return { endpoint, region, extension: httpfs, credentials: async () => testCredentials, ...parts };
}

/** A DuckDB engine over an empty prefix of a bucket. */
export async function openedEngineOnS3({
  memoryLimitBytes = 1 << 30,
  maxFileBytes = 512 << 20,
  store = {},
  access = {},
}: {
  readonly memoryLimitBytes?: number;
  readonly maxFileBytes?: number;
  readonly store?: Partial<S3ObjectStoreOptions>;
  readonly access?: Partial<S3Access>;
} = {}) {
  const spillFolder = await mkdtemp(join(tmpdir(), 'ingot-duckdb-s3-'));
  const opened = await openedStore(store);
  const objects = opened.store;
  const s3 = s3Access(access);
  const engine = await openDuckDbSqlEngine({
    objects,
    memoryLimitBytes,
    maxFileBytes,
    spillFolder,
    threads: 2,
    s3,
  });
  return {
    engine,
    objects,
    prefix: opened.prefix,
    s3,
    spillFolder,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await opened[Symbol.asyncDispose]();
      await rm(spillFolder, { recursive: true, force: true });
    },
  };
}
