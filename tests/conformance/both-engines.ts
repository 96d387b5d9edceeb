import { expect } from 'vitest';
import type { InlineRelation, ResultRow, SqlEngine } from '../../ports/sql-engine.ts';
import { job } from '../ports/sql-engine/fixture.ts';

export interface Question {
  readonly name: string;
  readonly sql: string;
}

type Answer = readonly string[] | { readonly error: string };

/** Rows as a bag: each as text, sorted. Numbers are compared by value, for engines disagree on how many zeros a decimal ends with. */
export function bag(rows: readonly ResultRow[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row, plain)).sort();
}

function plain(_: string, value: unknown): unknown {
  if (typeof value !== 'string' || !/^-?[0-9]+[.][0-9]+$/.test(value)) return value;
  return value.replace(/[.]?0+$/, '');
}

/** All answers of one job; a question that fails is named by the error, and the others are asked again. */
async function ask(
  engine: SqlEngine,
  inline: readonly InlineRelation[],
  questions: readonly Question[],
): Promise<ReadonlyMap<string, Answer>> {
  const failed = new Map<string, Answer>();
  for (;;) {
    const asked = questions.filter(({ name }) => !failed.has(name));
    try {
      const { measures } = await engine.run(job({ inline, measures: asked }));
      return new Map([...failed, ...asked.map(({ name }) => [name, bag(measures[name]!)] as const)]);
    } catch (error) {
      const { message } = error as Error;
      const name = /measure (q[0-9]+)/.exec(message)?.[1];
      if (name === undefined || failed.has(name)) throw error;
      failed.set(name, { error: message.slice(0, 600) });
    }
  }
}

/** Puts questions over constant relations to both engines and expects the same rows; what differs is told question by question. */
export async function expectSameAnswers(
  engines: { readonly duckdb: SqlEngine; readonly spark: SqlEngine },
  inline: readonly InlineRelation[],
  questions: readonly Question[],
): Promise<void> {
  const duckdb = await ask(engines.duckdb, inline, questions);
  const spark = await ask(engines.spark, inline, questions);
  const differences = questions.flatMap(({ name, sql }) => {
    const [one, other] = [duckdb.get(name)!, spark.get(name)!];
    if (Array.isArray(one) && JSON.stringify(one) === JSON.stringify(other)) return [];
    return [{ sql, ...told(one, other) }];
  });
  expect(differences).toEqual([]);
}

function told(one: Answer, other: Answer): { readonly duckdb: unknown; readonly spark: unknown } {
  if ('error' in one || 'error' in other) return { duckdb: short(one), spark: short(other) };
  return {
    duckdb: one.filter((row) => !other.includes(row)).slice(0, 6),
    spark: other.filter((row) => !one.includes(row)).slice(0, 6),
  };
}

function short(answer: Answer): unknown {
  return 'error' in answer ? answer.error : `${answer.length} rows`;
}

/** Some expressions over the rows of `t` in one select. */
export function together(expressions: readonly string[]): string {
  return `select id, ${expressions.map((each, index) => `${each} as c${index}`).join(', ')} from t`;
}
