import { sqlEngineConformance } from '../../ports/sql-engine.case.ts';
import { openedEngine } from './opened.ts';

sqlEngineConformance('the DuckDB SQL engine', openedEngine);
