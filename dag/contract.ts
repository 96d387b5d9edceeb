import type { Json, JsonObject } from './json.ts';
import { DagProblemsError, problem } from './problems.ts';
import type { Problem } from './problems.ts';
import type { Column, ColumnType, Table } from './relation.ts';
import { parseThreshold, ruleJson } from './rules.ts';
import type { Rule } from './rules.ts';

export interface ColumnOptions {
  readonly type: ColumnType;
  /** False unless told. */
  readonly nullable?: boolean;
  /** Text of the source is upper-cased before any check. */
  readonly upper?: boolean;
  readonly description?: string;
}

export type ColumnDeclaration = ColumnType | ColumnOptions;
export type ColumnDeclarations = Readonly<Record<string, ColumnDeclaration>>;

/**
 * What a table promises: its shape and its rules, declared once. The row type, the lake's table, the casting of
 * source text, the quality rules, the warehouse's columns and the documentation are all derived from it.
 */
export interface Contract<
  Name extends string = string,
  Columns extends ColumnDeclarations = ColumnDeclarations,
> {
  readonly name: Name;
  readonly table: Table & { readonly name: Name };
  readonly declared: Columns;
  /** Columns that identify a row within what the table holds; empty when nothing does. */
  readonly key: readonly string[];
  readonly rules: readonly Rule[];
}

export interface ContractOptions<Name extends string, Columns extends ColumnDeclarations> {
  /** `<pipeline>.<table>`. */
  readonly table: Name;
  readonly zone: Table['zone'];
  readonly description: string;
  /** Columns whose values make a partition; they are columns like any other. */
  readonly partitionBy: readonly (keyof Columns & string)[];
  readonly columns: Columns;
  readonly key?: readonly (keyof Columns & string)[];
  readonly rules?: readonly Rule[];
}

type TypeOf<D> = D extends ColumnType ? D : D extends { readonly type: infer T } ? T : never;
type ValueOf<T> = T extends 'boolean'
  ? boolean
  : T extends 'int' | 'double'
    ? number
    : T extends 'text[]'
      ? readonly string[]
      : string;
type Cell<D> = D extends { readonly nullable: true } ? ValueOf<TypeOf<D>> | null : ValueOf<TypeOf<D>>;

/** A row of a contract's table. Decimals, bigints, dates and timestamps are text, so that no digit is lost. */
export type RowOf<C extends Contract> = { readonly [Name in keyof C['declared']]: Cell<C['declared'][Name]> };

/** A column that may have no value. */
export function nullable<const T extends ColumnType>(
  type: T,
  description?: string,
): { readonly type: T; readonly nullable: true; readonly description?: string } {
  return { type, nullable: true, ...(description === undefined ? {} : { description }) };
}

/** Source text that is upper-cased before any check. */
export function upperText(description?: string): {
  readonly type: 'text';
  readonly upper: true;
  readonly description?: string;
} {
  return { type: 'text', upper: true, ...(description === undefined ? {} : { description }) };
}

function options(declaration: ColumnDeclaration): ColumnOptions {
  return typeof declaration === 'string' ? { type: declaration } : declaration;
}

function column([name, declaration]: [string, ColumnDeclaration]): Column {
  const { type, nullable = false, description } = options(declaration);
  return { name, type, nullable, ...(description === undefined ? {} : { description }) };
}

/** Declared columns in the form every table has them. */
export function columnsOf(declared: ColumnDeclarations): readonly Column[] {
  return Object.entries(declared).map(column);
}

/** Declares a table. Throws DagProblemsError with every problem of the declaration. */
export function contract<const Name extends string, const Columns extends ColumnDeclarations>(
  declaration: ContractOptions<Name, Columns>,
): Contract<Name, Columns> {
  const problems = problemsOf(declaration as unknown as ContractOptions<string, ColumnDeclarations>);
  if (problems.length > 0) throw new DagProblemsError(`contract ${declaration.table}`, problems);
  const { table: name, zone, description, partitionBy } = declaration;
  return {
    name,
    table: { name, zone, description, partitionBy, columns: columnsOf(declaration.columns) },
    declared: declaration.columns,
    key: declaration.key ?? [],
    rules: declaration.rules ?? [],
  };
}

/** Whether the source text of a column is upper-cased. */
export function isUpper(contract: Contract, name: string): boolean {
  const declaration = contract.declared[name];
  return declaration !== undefined && options(declaration).upper === true;
}

/** Everything about a contract that, when it changes, changes what is computed. Descriptions are left out. */
export function contractJson(contract: Contract): JsonObject {
  return {
    table: contract.name,
    zone: contract.table.zone,
    partitionBy: contract.table.partitionBy,
    columns: Object.entries(contract.declared).map(([name, declaration]): Json => {
      const { type, nullable = false, upper = false } = options(declaration);
      return { name, type, nullable, upper };
    }),
    key: contract.key,
    rules: contract.rules.map((rule) => ({ ...ruleJson(rule), description: null })),
  };
}

function problemsOf(declaration: ContractOptions<string, ColumnDeclarations>): readonly Problem[] {
  const place = `contract ${declaration.table}`;
  const known = Object.keys(declaration.columns);
  const found: Problem[] = [];
  const unknown = (what: string, names: readonly string[]): void => {
    for (const name of names)
      if (!known.includes(name))
        found.push(
          problem(
            `${place}, ${what}`,
            `a column of ${known.join(', ')}`,
            name,
            'Name a column the contract declares.',
          ),
        );
  };
  if (!/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(declaration.table))
    found.push(
      problem(place, 'a table name <pipeline>.<table> in snake_case', declaration.table, 'Rename the table.'),
    );
  for (const name of known)
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      found.push(problem(`${place}, column ${name}`, 'a name in snake_case', name, 'Rename the column.'));
  unknown('partitionBy', declaration.partitionBy);
  unknown('key', declaration.key ?? []);
  const rules = declaration.rules ?? [];
  for (const rule of rules) {
    unknown(`rule ${rule.name}`, ruleColumns(rule));
    if (!/^[a-z][a-z0-9_]*$/.test(rule.name))
      found.push(
        problem(
          `${place}, rule ${rule.name}`,
          'a name in snake_case',
          rule.name,
          'Give the rule another name.',
        ),
      );
    if (rules.some((other) => other !== rule && other.name === rule.name))
      found.push(
        problem(
          `${place}, rule ${rule.name}`,
          'rule names that differ',
          'the name twice',
          'Give one of them another name.',
        ),
      );
    for (const threshold of [rule.warnIf, rule.errorIf]) if (threshold !== null) tryThreshold(threshold);
  }
  return found;

  function tryThreshold(threshold: Parameters<typeof parseThreshold>[0]): void {
    try {
      parseThreshold(threshold);
    } catch (error) {
      found.push({ place, message: (error as RangeError).message });
    }
  }
}

function ruleColumns(rule: Rule): readonly string[] {
  const { check } = rule;
  if ('columns' in check) return check.columns;
  return 'column' in check ? [check.column] : [];
}
