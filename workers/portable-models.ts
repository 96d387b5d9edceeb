import { fileURLToPath } from 'node:url';
import type { TaskSelect } from '../dag/builder.ts';
import { DagProblemsError } from '../dag/problems.ts';
import type { Problem } from '../dag/problems.ts';
import { portabilityProblems } from '../engines/spark-sql/to-spark.ts';
import type { Definitions } from './definitions.ts';

/**
 * Throws one DagProblemsError with everything in the models of all DAGs that DuckDB and Spark would not mean alike: file, line, column, what
 * stands there and what to write. Models that are declared to run on DuckDB only may be written for it.
 */
export function checkPortable(definitions: Definitions): void {
  const found = new Map<string, Problem>();
  for (const dag of definitions.values())
    for (const [taskId, { selects }] of dag.bodies)
      for (const select of selects)
        for (const each of problemsOf(select, `dag ${dag.id}, task ${taskId}`))
          found.set(`${each.place} ${each.message}`, each);
  if (found.size > 0) throw new DagProblemsError('The SQL of the models', [...found.values()]);
}

function problemsOf({ name, sql, file }: TaskSelect, task: string): readonly Problem[] {
  return portabilityProblems(sql).map(({ line, column, message }) => ({
    place:
      file === undefined
        ? `${task}, ${name} (made of a contract), line ${line}, column ${column}`
        : `${fileURLToPath(file.url)}, line ${line + file.line - 1}, column ${column}`,
    message,
  }));
}
