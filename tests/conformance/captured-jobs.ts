import type { DagDefinition } from '../../dag/builder.ts';
import type { TaskContext } from '../../activities/index.ts';
import type { InputRelation, SqlEngine, SqlJob, SqlJobResult } from '../../ports/sql-engine.ts';
import type { Harness } from '../activities/harness.ts';

export interface CapturedJob {
  readonly job: SqlJob;
  readonly result: SqlJobResult;
}

/** An engine that also keeps what it was asked and what it answered. */
function capturing(engine: SqlEngine, jobs: CapturedJob[], selects: SqlJob[]): SqlEngine {
  return {
    name: engine.name,
    run: async (job, options) => {
      // Rows of the steps too: a difference is told where it begins.
      const looking = { ...job, measures: [...job.measures, ...stepMeasures(job)] };
      const result = await engine.run(looking, options);
      if (job.outputs.length > 0 && !job.id.endsWith('/quality_summary')) jobs.push({ job: looking, result });
      return result;
    },
    importCsv: (job, options) => engine.importCsv(job, options),
    csvHeader: (key, options) => engine.csvHeader(key, options),
    parquetSchema: (key) => engine.parquetSchema(key),
    exportCsv: (select, inputs, options) => {
      selects.push(exported(select, inputs, selects.length));
      return engine.exportCsv(select, inputs, options);
    },
  };
}

function stepMeasures({ steps }: SqlJob): SqlJob['measures'] {
  return steps.map(({ name }) => ({ name: `step ${name}`, sql: `select * from ${name}` }));
}

function exported(select: string, inputs: readonly InputRelation[], index: number): SqlJob {
  const measures = [{ name: 'texts', sql: select }];
  return {
    id: `exported.select/${process.pid}/${index}`,
    inputs,
    inline: [],
    steps: [],
    outputs: [],
    measures,
  };
}

/** The jobs of models that a run's tasks gave to DuckDB, with its answers; summaries are never computed elsewhere. Fails when a task does. */
export async function capture(
  harness: Harness,
  definition: DagDefinition<TaskContext>,
  date: string,
): Promise<readonly CapturedJob[]> {
  const jobs: CapturedJob[] = [];
  const selects: SqlJob[] = [];
  const { sql } = harness.ports;
  const run = await harness.run(definition, date, {}, { sql: capturing(sql, jobs, selects) });
  const failures = Object.entries(run.failures);
  if (failures.length > 0) throw new Error(failures.map(([task, why]) => `${task}: ${why}`).join('\n'));
  for (const job of selects) jobs.push({ job, result: await sql.run(job) });
  return jobs;
}
