import { sqlEngineConformance } from '../../ports/sql-engine.case.ts';
import { describeWithBed } from './emulated-bucket.ts';
import { openedEngineOnS3 } from './opened.ts';

describeWithBed('with S3', () => sqlEngineConformance('the DuckDB SQL engine', openedEngineOnS3));
