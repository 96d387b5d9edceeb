import { sqlEngineConformance } from '../../ports/sql-engine.case.ts';
import { openedEngineOnS3 } from './opened.ts';

sqlEngineConformance('the DuckDB SQL engine on S3', openedEngineOnS3);
