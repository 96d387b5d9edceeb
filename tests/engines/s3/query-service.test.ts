import { queryServiceConformance } from '../../ports/query-service.case.ts';
import { openedQueries } from '../duckdb/published-tables.ts';
import { describeWithBed } from './emulated-bucket.ts';
import { openedEngineOnS3 } from './opened.ts';

describeWithBed('with S3', () =>
  queryServiceConformance('the DuckDB query service', async () => openedQueries(await openedEngineOnS3())),
);
