import type { ClusterUse } from '../activities/task-context.ts';
import type { S3Access } from '../engines/duckdb/s3-access.ts';
import { openFilesystemObjectStore } from '../engines/filesystem/object-store.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { QueryService } from '../ports/query-service.ts';
import type { RawCrawler } from '../ports/raw-crawler.ts';
import type { Config } from './config.ts';

interface Closable {
  close(): Promise<void>;
}

/** What the setting `engine` chooses: where files lie, and what reads, computes and lists them beside the worker's own engine. */
export interface Lake extends Closable {
  readonly objects: ObjectStore;
  /** How DuckDB reaches them, where they are no files of this machine. */
  readonly s3?: S3Access;
  openQueries(ledger: Ledger): Promise<QueryService & Closable>;
  /** Makes what has to be there before the first run, and brings it up to this release; says what it did, a line each. May be repeated. */
  prepare(): Promise<readonly string[]>;
  /** Null where the ledger is the only catalog. */
  openCatalog(ledger: Ledger): Promise<(Catalog & Closable) | null>;
  /** What jobs of this lake can run on besides the worker. */
  openElsewhere(): Promise<Closable & { readonly cluster?: ClusterUse; readonly crawler?: RawCrawler }>;
}

/** Memory, spill space and threads of DuckDB. */
export function duckDbOptions({ memoryLimitBytes, spillFolder, threads }: Config) {
  return { memoryLimitBytes, spillFolder, threads };
}

/** Opens the adapters of the lake the configuration chooses; what is not asked for is not opened. */
export async function openLake(config: Config, env: NodeJS.ProcessEnv): Promise<Lake> {
  if (config.engine === 'embedded') return embeddedLake(config);
  const { openAwsLake } = await import('./open-aws-lake.ts');
  return openAwsLake(config, env);
}

async function embeddedLake(config: Config): Promise<Lake> {
  const objects = await openFilesystemObjectStore(config.lake);
  return {
    objects,
    openQueries: async (ledger) => {
      const { openDuckDbQueryService } = await import('../engines/duckdb/query-service.ts');
      return openDuckDbQueryService({ objects, ledger, ...duckDbOptions(config) });
    },
    prepare: async () => [],
    openCatalog: async () => null,
    openElsewhere: async () => ({ close: async () => {} }),
    close: async () => {},
  };
}
