import { createHash } from 'node:crypto';
import {
  CreateCrawlerCommand,
  type Crawler,
  CrawlerRunningException,
  GetCrawlerCommand,
  GlueClient,
  StartCrawlerCommand,
  StopCrawlerCommand,
  type Table,
} from '@aws-sdk/client-glue';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { ExternalJob, JobState } from '../../ports/jobs.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { CrawledTable, RawCrawler } from '../../ports/raw-crawler.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { CatalogClient, isNamed } from './catalog-client.ts';
import { columnType } from './hive-types.ts';

export interface GlueCrawlerOptions extends AwsOptions {
  readonly objects: Pick<ObjectStore, 'location'>;
  /** Of the crawlers' names. */
  readonly prefix: string;
  /** What crawlers make their tables in: not a pipeline's, whose tables follow the ledger. */
  readonly database: string;
  /** Name or ARN of the role that crawlers read with. */
  readonly role: string;
}

/** A crawl that began after this, in the service's own time, in seconds. */
interface Awaited {
  readonly crawler: string;
  readonly after: number;
}

const service = 'glue-crawler';

/**
 * One crawler per folder, made when first needed. It looks at every file each time (a delivery may replace files), updates the table it made to what it found,
 * and only logs what is gone: whether a column may come or go is judged by the crawl task, against the contract, not by the crawler.
 */
export async function openGlueCrawler(
  options: GlueCrawlerOptions,
): Promise<RawCrawler & { close(): Promise<void> }> {
  const glue = new GlueClient(clientOptions(options));
  return new GlueCrawler(options, glue, await glue.config.region());
}

function jobId({ crawler, after }: Awaited): string {
  return `${crawler}@${after}`;
}

function awaited({ id }: ExternalJob): Awaited {
  const at = id.lastIndexOf('@');
  return { crawler: id.slice(0, at), after: Number(id.slice(at + 1)) };
}

function startedAt({ LastCrawl }: Crawler): number {
  return (LastCrawl?.StartTime?.getTime() ?? 0) / 1000;
}

/**
 * The time on the service's own clock when it refused to start a second crawl, rounded up by the second it is given in: a crawl that began after it
 * cannot be the one that was running.
 */
function refusedAt(error: CrawlerRunningException): number {
  const date = (error.$response?.headers as Record<string, string> | undefined)?.['date'];
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Math.floor((Number.isNaN(time) ? Date.now() : time) / 1000) + 1;
}

class GlueCrawler implements RawCrawler {
  readonly name = service;
  readonly #options: GlueCrawlerOptions;
  readonly #client: CatalogClient;
  readonly #region: string;

  constructor(options: GlueCrawlerOptions, glue: GlueClient, region: string) {
    this.#options = options;
    this.#client = new CatalogClient(glue);
    this.#region = region;
  }

  async start(prefix: string): Promise<ExternalJob> {
    const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
    const crawler = this.#nameOf(folder);
    const found = (await this.#find(crawler)) ?? (await this.#create(crawler, folder));
    const running = await this.#startOne(crawler);
    const after = running === null ? startedAt(found) : refusedAt(running);
    const region = this.#region;
    return {
      service,
      id: jobId({ crawler, after }),
      label: `Glue crawler ${crawler}`,
      link: `https://${region}.console.aws.amazon.com/glue/home?region=${region}#/v2/data-catalog/crawlers/view/${crawler}`,
    };
  }

  /** Starts the awaited crawl when the one before it has ended: that is noticed here first. */
  async look(job: ExternalJob): Promise<JobState> {
    const { crawler, after } = awaited(job);
    const found = await this.#find(crawler);
    if (found === null) return { state: 'ended', note: 'the crawler is not there any more' };
    if (found.State !== 'READY') {
      const seconds = Math.round((found.CrawlElapsedTime ?? 0) / 1000);
      return { state: 'running', note: `${found.State ?? 'unknown'} for ${seconds} s` };
    }
    if (startedAt(found) > after) return { state: 'ended', note: found.LastCrawl?.Status ?? 'ended' };
    await this.#startOne(crawler);
    return { state: 'running', note: 'the crawl before it has ended; its own begins' };
  }

  /** Also for others who joined it: they crawl again. */
  async stop(job: ExternalJob): Promise<void> {
    const { crawler } = awaited(job);
    await this.#client.answer('StopCrawler', crawler, async () => {
      try {
        await this.#client.glue.send(new StopCrawlerCommand({ Name: crawler }));
      } catch (error) {
        const isOver = ['CrawlerNotRunningException', 'CrawlerStoppingException', 'EntityNotFoundException'];
        if (!isNamed(error, ...isOver)) throw error;
      }
    });
  }

  async collect(job: ExternalJob): Promise<readonly CrawledTable[]> {
    const { crawler } = awaited(job);
    const found = await this.#find(crawler);
    refuseFailure(crawler, found);
    const target = found?.Targets?.S3Targets?.[0]?.Path ?? '';
    const { database } = this.#options;
    const own = (await this.#client.tables(database)).filter(({ StorageDescriptor }) =>
      `${StorageDescriptor?.Location?.replace(/\/?$/, '/')}`.startsWith(target),
    );
    return Promise.all(own.map((table) => this.#crawled(table)));
  }

  async #crawled(table: Table): Promise<CrawledTable> {
    const { Name = '', StorageDescriptor, PartitionKeys = [] } = table;
    const keys = PartitionKeys.map(({ Name: key = '' }) => key);
    const all = [...(StorageDescriptor?.Columns ?? []), ...PartitionKeys];
    const place = { database: this.#options.database, table: Name };
    return {
      name: Name,
      columns: all.map(({ Name: name = '', Type = '' }) => ({
        name,
        type: columnType(Type),
        nullable: true,
      })),
      partitionBy: keys,
      partitions: keys.length === 0 ? 0 : (await this.#client.partitions(place)).length,
    };
  }

  /** Readable, and of its own for each folder. */
  #nameOf(folder: string): string {
    const hash = createHash('sha256')
      .update(this.#options.objects.location(folder))
      .digest('hex')
      .slice(0, 8);
    const readable = folder
      .replace(/\/$/, '')
      .replaceAll(/[^\w-]+/g, '-')
      .slice(-100);
    return `${this.#options.prefix}${readable}-${hash}`;
  }

  async #find(crawler: string): Promise<Crawler | null> {
    return this.#client.answer('GetCrawler', crawler, async () => {
      try {
        return (await this.#client.glue.send(new GetCrawlerCommand({ Name: crawler }))).Crawler ?? null;
      } catch (error) {
        if (isNamed(error, 'EntityNotFoundException')) return null;
        throw error;
      }
    });
  }

  async #create(crawler: string, folder: string): Promise<Crawler> {
    const { database, role, objects } = this.#options;
    await this.#client.ensureDatabase(database, 'What crawlers found in the raw zone.');
    await this.#client.answer('CreateCrawler', crawler, async () => {
      try {
        await this.#client.glue.send(
          new CreateCrawlerCommand({
            Name: crawler,
            Role: role,
            DatabaseName: database,
            Description: `Looks at ${folder} for Ingot.`,
            Targets: { S3Targets: [{ Path: objects.location(folder) }] },
            RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
            SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
            Configuration: JSON.stringify({
              Version: 1,
              // One table per folder, also when a delivery lacks a column or has a new one.
              Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' },
              CrawlerOutput: { Partitions: { AddOrUpdateBehavior: 'InheritFromTable' } },
            }),
          }),
        );
      } catch (error) {
        if (!isNamed(error, 'AlreadyExistsException')) throw error;
      }
    });
    return {};
  }

  /** Null when a crawl was begun; else what Glue said of the one that is running. */
  async #startOne(crawler: string): Promise<CrawlerRunningException | null> {
    return this.#client.answer('StartCrawler', crawler, async () => {
      try {
        await this.#client.glue.send(new StartCrawlerCommand({ Name: crawler }));
        return null;
      } catch (error) {
        if (error instanceof CrawlerRunningException) return error;
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    this.#client.glue.destroy();
  }
}

function refuseFailure(crawler: string, found: Crawler | null): void {
  const { Status, ErrorMessage, LogGroup, LogStream } = found?.LastCrawl ?? {};
  if (found !== null && Status === 'SUCCEEDED') return;
  const facts = {
    place: `Glue crawler ${crawler}`,
    expected: 'the crawl to succeed',
    found:
      found === null
        ? 'that the crawler was removed'
        : `${Status ?? 'no crawl'}${ErrorMessage === undefined ? '' : `: ${ErrorMessage}`}`,
  };
  const isPassing =
    found === null ||
    Status === 'CANCELLED' ||
    /internal|throttl|rate exceeded|timed? ?out/i.test(ErrorMessage ?? '');
  if (isPassing) throw new RetryableError({ ...facts, remedy: 'The folder is crawled again.' });
  throw new TerminalError({
    ...facts,
    remedy: `Look at the crawler's log${LogGroup === undefined ? '' : ` (${LogGroup}, ${LogStream ?? crawler})`}, and at what its role may read.`,
  });
}
