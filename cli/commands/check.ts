import { DagProblemsError } from '../../dag/problems.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import { checkPortable } from '../../workers/portable-models.ts';
import { ExitError, type Cli } from '../cli.ts';

export async function check(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const config = cli.config();
  try {
    const definitions = await loadDefinitions(config.dags);
    checkPortable(definitions);
    const dags = [...definitions.values()].map((dag) => ({
      dagId: dag.id,
      planHash: dag.hash,
      tasks: dag.plan.tasks.length,
    }));
    if (options.json) cli.print(JSON.stringify({ ok: true, dags, problems: [] }));
    else
      for (const dag of dags)
        cli.print(`${dag.dagId}: ${dag.tasks} tasks, plan ${dag.planHash.slice(0, 12)}`);
  } catch (error) {
    if (!options.json || !(error instanceof DagProblemsError)) throw error;
    cli.print(JSON.stringify({ ok: false, dags: [], problems: error.problems }));
    throw new ExitError(1);
  }
}
