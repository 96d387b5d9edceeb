import { sqlEngineConformance } from '../../ports/sql-engine.case.ts';
import { describeWithBed } from './emulated-bucket.ts';
import { openedEngineOnS3 } from './opened.ts';

const skip = [
  {
    reason: 'cutting files is the same code over any store; hundreds of random files over HTTP take minutes',
    tests: ['the records of any set of files are those of an independent splitter'],
  },
];

describeWithBed('with S3', () => sqlEngineConformance('the DuckDB SQL engine', openedEngineOnS3, { skip }));
