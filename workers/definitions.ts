import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunnableDag } from '../activities/boundary.ts';
import type { TaskContext } from '../activities/task-context.ts';
import type { DagDefinition } from '../dag/builder.ts';
import { compileDag } from '../dag/compile.ts';
import { DagProblemsError, problem, type Problem } from '../dag/problems.ts';

export type Definitions = ReadonlyMap<string, RunnableDag>;

/** What a module of definitions exports. */
interface DefinitionModule {
  readonly dags?: unknown;
}

const ownModule = new URL('../pipelines/index.ts', import.meta.url).href;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isDefinition(value: unknown): value is DagDefinition<TaskContext> {
  return typeof value === 'object' && value !== null && 'id' in value && 'declaration' in value;
}

async function readModule(specifier: string): Promise<DagDefinition<TaskContext>[]> {
  const place = specifier;
  let loaded: DefinitionModule;
  try {
    loaded = (await import(specifier)) as DefinitionModule;
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new DagProblemsError('The DAG definitions', [
      problem(place, 'a module that can be loaded', found, 'Correct its path or what it imports.'),
    ]);
  }
  const { dags } = loaded;
  if (Array.isArray(dags) && dags.every(isDefinition)) return dags;
  throw new DagProblemsError('The DAG definitions', [
    problem(
      place,
      'an export `dags`: a list of what dag(...) returns',
      typeof dags,
      'Export one: `export const dags = [myDag];`.',
    ),
  ]);
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof DagProblemsError) return error.problems;
  throw error;
}

/** Compiles definitions; every problem of every DAG is reported at once, in one DagProblemsError. */
export function compileDefinitions(definitions: readonly DagDefinition<TaskContext>[]): Definitions {
  const compiled = new Map<string, RunnableDag>();
  const problems: Problem[] = [];
  for (const definition of definitions) {
    try {
      const dag = compileDag(definition, { sha256 });
      if (compiled.has(dag.id))
        problems.push(
          problem(`dag ${dag.id}`, 'every DAG id once', 'it is declared again', 'Rename one of them.'),
        );
      compiled.set(dag.id, dag);
    } catch (error) {
      problems.push(...problemsOf(error));
    }
  }
  if (problems.length > 0) throw new DagProblemsError('The DAG definitions', problems);
  return compiled;
}

/** The DAGs of the shipped pipelines and of the files given (paths of modules that export `dags`), compiled. */
export async function loadDefinitions(files: readonly string[] = []): Promise<Definitions> {
  const modules = [ownModule, ...files.map((file) => pathToFileURL(resolve(file)).href)];
  const loaded = await Promise.allSettled(modules.map(readModule));
  const problems = loaded.flatMap((each) => (each.status === 'rejected' ? problemsOf(each.reason) : []));
  const definitions = loaded.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  try {
    const compiled = compileDefinitions(definitions);
    if (problems.length === 0) return compiled;
  } catch (error) {
    problems.push(...problemsOf(error));
  }
  throw new DagProblemsError('The DAG definitions', problems);
}
