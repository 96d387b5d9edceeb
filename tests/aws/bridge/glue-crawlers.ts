import { randomUUID } from 'node:crypto';
import { ServiceError, type Fields, type Handlers } from './call.ts';
import { crawledLayout } from './crawled-layout.ts';
import { crawledSchema } from './crawled-schema.ts';
import { registerCrawled, type CrawledInto } from './crawled-tables.ts';
import type { EmulatorCalls } from './emulator-calls.ts';
import type { GluePartitions } from './glue-partitions.ts';
import type { Holds } from './holds.ts';
import { filesBelow, type LakeReader } from './lake-reader.ts';
import { fields, list, page, seconds, text, textOr } from './named-input.ts';

interface Crawler {
  readonly name: string;
  definition: Fields;
  readonly createdAt: number;
  updatedAt: number;
  version: number;
  state: 'READY' | 'RUNNING' | 'STOPPING';
  startedAt: number;
  lastCrawl: Fields | null;
  stop: AbortController;
  made: { TablesCreated: number; TablesUpdated: number };
}

export interface CrawlerOptions {
  readonly emulator: EmulatorCalls;
  readonly partitions: GluePartitions;
  readonly holds: Holds;
  readonly openReader: (accessKey: string) => Promise<LakeReader>;
}

function described(crawler: Crawler): Fields {
  const elapsed = crawler.state === 'READY' ? 0 : Date.now() - crawler.startedAt;
  return {
    Classifiers: [],
    RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
    SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'DEPRECATE_IN_DATABASE' },
    ...crawler.definition,
    Name: crawler.name,
    State: crawler.state,
    CrawlElapsedTime: elapsed,
    CreationTime: seconds(crawler.createdAt),
    LastUpdated: seconds(crawler.updatedAt),
    Version: crawler.version,
    ...(crawler.lastCrawl === null ? {} : { LastCrawl: crawler.lastCrawl }),
  };
}

/** Glue crawlers that look: tables with the columns of the files, partitions from the folders. */
export class GlueCrawlers {
  readonly #options: CrawlerOptions;
  readonly #crawlers = new Map<string, Crawler>();

  constructor(options: CrawlerOptions) {
    this.#options = options;
  }

  readonly handlers: Handlers = {
    'glue:CreateCrawler': (input) => {
      const name = text(input, 'Name');
      text(input, 'Role');
      if (this.#crawlers.has(name))
        throw new ServiceError('AlreadyExistsException', `Crawler with name ${name} already exists`);
      const { Tags: _, ...definition } = input;
      const now = Date.now();
      this.#crawlers.set(name, {
        name,
        definition,
        createdAt: now,
        updatedAt: now,
        version: 1,
        state: 'READY',
        startedAt: 0,
        lastCrawl: null,
        stop: new AbortController(),
        made: { TablesCreated: 0, TablesUpdated: 0 },
      });
      return {};
    },
    'glue:UpdateCrawler': (input) => {
      const crawler = this.#idle(text(input, 'Name'));
      crawler.definition = { ...crawler.definition, ...input };
      crawler.updatedAt = Date.now();
      crawler.version += 1;
      return {};
    },
    'glue:DeleteCrawler': (input) => {
      this.#crawlers.delete(this.#idle(text(input, 'Name')).name);
      return {};
    },
    'glue:GetCrawler': (input) => ({ Crawler: described(this.#find(text(input, 'Name'))) }),
    'glue:GetCrawlers': (input) => {
      const { items, next } = page(input, [...this.#crawlers.values()], 1000);
      return { Crawlers: items.map(described), ...next };
    },
    'glue:GetCrawlerMetrics': (input) => {
      const names = list<string>(input, 'CrawlerNameList');
      const found = [...this.#crawlers.values()].filter(
        ({ name }) => names.length === 0 || names.includes(name),
      );
      return {
        CrawlerMetricsList: found.map(({ name, made }) => ({ CrawlerName: name, ...made, TablesDeleted: 0 })),
      };
    },
    'glue:StartCrawler': (input) => {
      const crawler = this.#idle(text(input, 'Name'));
      crawler.state = 'RUNNING';
      crawler.startedAt = Date.now();
      crawler.stop = new AbortController();
      void this.#crawl(crawler);
      return {};
    },
    'glue:StopCrawler': (input) => {
      const crawler = this.#find(text(input, 'Name'));
      if (crawler.state === 'READY')
        throw new ServiceError(
          'CrawlerNotRunningException',
          `Crawler with name ${crawler.name} isn't running`,
        );
      crawler.state = 'STOPPING';
      crawler.stop.abort();
      return {};
    },
  };

  async close(): Promise<void> {
    for (const { stop } of this.#crawlers.values()) stop.abort();
  }

  #find(name: string): Crawler {
    const crawler = this.#crawlers.get(name);
    if (crawler === undefined)
      throw new ServiceError('EntityNotFoundException', `Crawler entry with name ${name} does not exist`);
    return crawler;
  }

  #idle(name: string): Crawler {
    const crawler = this.#find(name);
    if (crawler.state !== 'READY')
      throw new ServiceError('CrawlerRunningException', `Crawler with name ${name} has already started`);
    return crawler;
  }

  async #crawl(crawler: Crawler): Promise<void> {
    const signal = crawler.stop.signal;
    const ending = await this.#look(crawler, signal).then(
      () => (signal.aborted ? { Status: 'CANCELLED' } : { Status: 'SUCCEEDED' }),
      (error: unknown) => ({
        Status: 'FAILED',
        ErrorMessage: error instanceof Error ? error.message : String(error),
      }),
    );
    crawler.lastCrawl = {
      ...ending,
      StartTime: seconds(crawler.startedAt),
      LogGroup: '/aws-glue/crawlers',
      LogStream: crawler.name,
      MessagePrefix: randomUUID(),
    };
    crawler.state = 'READY';
  }

  async #look(crawler: Crawler, signal: AbortSignal): Promise<void> {
    const { emulator, partitions, holds, openReader } = this.#options;
    const into: CrawledInto = {
      emulator,
      partitions,
      crawler: crawler.name,
      database: text(crawler.definition, 'DatabaseName'),
      prefix: textOr(crawler.definition, 'TablePrefix', ''),
      policy: fields(crawler.definition, 'SchemaChangePolicy'),
    };
    const reader = await openReader(`crawler-${randomUUID()}`);
    try {
      for (const { Path } of list<{ Path: string }>(fields(crawler.definition, 'Targets'), 'S3Targets'))
        for (const table of crawledLayout(Path, await filesBelow(emulator, Path))) {
          const schema = await crawledSchema(reader, table.files);
          await holds.passed(crawler.name, signal);
          if (signal.aborted) return;
          if (schema === null) continue;
          const isNew = await registerCrawled(into, table, schema);
          crawler.made[isNew ? 'TablesCreated' : 'TablesUpdated'] += 1;
        }
      await holds.passed(crawler.name, signal);
    } finally {
      reader.close();
    }
  }
}
