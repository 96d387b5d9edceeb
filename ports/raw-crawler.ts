import type { Column } from '../dag/relation.ts';
import type { CallOptions } from './abortable.ts';
import type { ExternalJob, JobService } from './jobs.ts';

/** What a crawl found in a raw zone. Types are the crawler's guess. */
export interface CrawledTable {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Partition columns, in the order of their folders. */
  readonly partitionBy: readonly string[];
  readonly partitions: number;
}

/** Discovers files, schema and partitions below a folder of the object store, as a job of its own. */
export interface RawCrawler extends JobService {
  /** Starts a crawl of the folder, or joins one that is under way: that may have begun before the newest files came, so `look` waits for one that began after this call. */
  start(prefix: string, options?: CallOptions): Promise<ExternalJob>;
  /** What the crawl registered. Throws TerminalError, with the crawler's own message, when it failed for good. */
  collect(external: ExternalJob, options?: CallOptions): Promise<readonly CrawledTable[]>;
}
