import { dag } from '../../activities/index.ts';
import * as to from './tasks.ts';

/** Daily card payments. What each task reads, writes and promises is in `tasks.ts`, the tables and rules in `contract.ts`. */
export const payments = dag(
  'payments',
  {
    description: 'Daily card payments: raw files to merchant key figures in Postgres.',
    schedule: '@daily',
    startDate: '2026-01-01',
    tags: ['lake'],
    params: {
      input: {
        type: 'string',
        required: false,
        description: 'Object key of one CSV file to take in place of the landing folder’s.',
      },
    },
  },
  ({ task, params }) => {
    const taken = task('ingest', to.ingestFiles, { input: params.input });
    const crawledRaw = task('crawl_raw', to.crawlRaw, taken);
    const bronze = task('bronze', to.bronzeTable, { raw: crawledRaw.output.records });
    const crawledBronze = task('crawl_bronze', to.crawlBronze, bronze.output.bronze);
    const silver = task('silver', to.silverTables, { bronze: crawledBronze });
    const crawledSilver = task('crawl_silver', to.crawlSilver, silver.output.curated);
    const gold = task('gold', to.goldTables, { curated: crawledSilver });
    const loaded = task('load', to.warehouse, gold.output.merchant_kpis);

    task('notify', to.tellSuccess, { about: loaded });
    task('alert', to.tellFailure, {}, { triggerRule: 'one_failed' }).after(
      taken,
      crawledRaw,
      bronze,
      crawledBronze,
      silver,
      crawledSilver,
      gold,
      loaded,
    );
  },
);
