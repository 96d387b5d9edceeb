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

function addressed(output: OutputRelation, { objects, translate }: JobDocumentOptions) {
  const prefix = output.prefix.endsWith('/') ? output.prefix : `${output.prefix}/`;
  return { ...output, prefix, select: translate(output.select), location: objects.location(prefix) };
}

export function jobDocument(job: SqlJob, options: JobDocumentOptions): JobDocument {
  const { objects, translate, maxFileBytes = defaultMaxFileBytes } = options;
  const inSpark = (one: { readonly name: string; readonly sql: string }) => ({
    ...one,
    sql: translate(one.sql),
  });
  return {
    job: {
      ...job,
      inputs: job.inputs.map((relation) => located(relation, objects)),
      steps: job.steps.map(inSpark),
      outputs: job.outputs.map((output) => addressed(output, options)),
      measures: job.measures.map(inSpark),
    },
    maxFileBytes,
  };
}
