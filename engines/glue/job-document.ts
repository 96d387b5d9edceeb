import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { InputRelation, OutputRelation, SqlJob } from '../../ports/sql-engine.ts';

/** What the Spark runner is given: a job in Spark's SQL, with the address of everything it reads and writes. */
export interface JobDocument {
  readonly job: Omit<SqlJob, 'inputs' | 'outputs'> & {
    readonly inputs: readonly unknown[];
    readonly outputs: readonly unknown[];
  };
  /** Size around which an output file is closed and the next begun. */
  readonly maxFileBytes: number;
}

export interface JobDocumentOptions {
  readonly objects: ObjectStore;
  /** Spark's form of a select. */
  readonly translate: (sql: string) => string;
  readonly maxFileBytes?: number;
}

const defaultMaxFileBytes = 512 << 20;

function located(relation: InputRelation, objects: ObjectStore) {
  return {
    ...relation,
    files: relation.files.map((file) => ({ ...file, location: objects.location(file.key) })),
  };
}

/** Spark's form of a statement; an error of the translation is placed in the job. */
function translated(sql: string, label: string, translate: (sql: string) => string): string {
  try {
    return translate(sql);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const { place } = error.facts;
    throw new TerminalError(
      { ...error.facts, place: place === undefined ? label : `${label}, ${place}` },
      { cause: error },
    );
  }
}

function addressed(output: OutputRelation, id: string, { objects, translate }: JobDocumentOptions) {
  const prefix = output.prefix.endsWith('/') ? output.prefix : `${output.prefix}/`;
  const select = translated(output.select, `${id}, output ${output.name}`, translate);
  return { ...output, prefix, select, location: objects.location(prefix) };
}

/** Throws TerminalError for SQL that has no form in Spark. */
export function jobDocument(job: SqlJob, options: JobDocumentOptions): JobDocument {
  const { objects, translate, maxFileBytes = defaultMaxFileBytes } = options;
  const inSpark = (kind: string) => (one: { readonly name: string; readonly sql: string }) => ({
    ...one,
    sql: translated(one.sql, `${job.id}, ${kind} ${one.name}`, translate),
  });
  return {
    job: {
      ...job,
      inputs: job.inputs.map((relation) => located(relation, objects)),
      steps: job.steps.map(inSpark('step')),
      outputs: job.outputs.map((output) => addressed(output, job.id, options)),
      measures: job.measures.map(inSpark('measure')),
    },
    maxFileBytes,
  };
}
