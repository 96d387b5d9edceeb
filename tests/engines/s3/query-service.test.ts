import { queryServiceConformance } from '../../ports/query-service.case.ts';
import { openedQueries } from '../duckdb/published-tables.ts';
import { openedEngineOnS3 } from './opened.ts';

queryServiceConformance('the DuckDB query service on S3', async () =>
  openedQueries(await openedEngineOnS3()),
);
