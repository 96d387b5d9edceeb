import { afterAll, beforeAll, describe, inject } from 'vitest';
import { sqlEngineConformance } from '../../ports/sql-engine.case.ts';
import { openLocalSparkEngine } from './local-spark.ts';
import { sparkForm } from './spark-forms.ts';
import { WarmSpark } from './warm-spark.ts';

const bed = inject('aws');

const skip = [
  {
    reason: 'the runner reads Parquet only: CSV is taken in and given out by the worker',
    tests: [
      'nulls, empty texts, quotes, newlines and lists are told apart',
      'a lone column cannot spell the end of a copy',
      'a million rows stream through, every one',
      'a reader may leave early, and be aborted',
      'what PostgreSQL has no text for is refused',
      'the records of any set of files are those of an independent splitter',
      'plain records, quoted newlines, doubled quotes, CRLF and a byte order mark are read',
      'malformed records are kept with their raw text, and their neighbours are not touched',
      'one column of possibly empty fields is a table too',
      'a header alone gives no records',
      'files of many blocks keep every record and every line number',
      'an enormous line is one malformed record of which the beginning is kept',
      'a long field within the limit is kept whole, one beyond it is not',
      'new columns are taken in when allowed, empty where a file lacks them',
      'a missing file is named',
      'a file replaced while it is read fails the job, and nothing is left',
      'an aborted import stops and leaves nothing',
      ...[
        'an empty file',
        'a byte order mark and nothing else',
        'a wrong header',
        'a header with too few columns',
        'a new column named like one of ours',
        'a binary file',
        'UTF-16',
        'a header that is not UTF-8',
        'a header with broken quotes',
        'a file without any line end',
      ].map((what) => `${what} is refused, and nothing is written`),
    ],
  },
  {
    reason: 'Spark tells the place in its own form of the select, which is one line; tests/glue/test_jobs.py',
    tests: ['an error names statement, line and column, and shows no data'],
  },
  {
    reason: 'Spark gives its files new names each time',
    tests: ['an id that has ended runs again and gives the same result'],
  },
  {
    reason: 'the memory of Spark is that of its workers, chosen with the Glue job',
    tests: ['a job that cannot fit says what to do'],
  },
];

describe.skipIf(bed === null)(`Spark ${inject('awsMissing')}`, { timeout: 240_000 }, () => {
  let spark: WarmSpark;
  beforeAll(async () => {
    spark = await WarmSpark.open(bed!.python);
  });
  afterAll(() => spark[Symbol.asyncDispose]());

  sqlEngineConformance(
    'the Spark runner',
    async ({ maxFileBytes } = {}) =>
      openLocalSparkEngine({
        spark,
        translate: sparkForm,
        ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
      }),
    { skip },
  );
});
