import { isUpper } from '../dag/contract.ts';
import type { Contract } from '../dag/contract.ts';
import type { Column, ColumnType } from '../dag/relation.ts';
import { literal, quoted, selectList, wholeMatch } from './sql-text.ts';

/** Unicode's White_Space, spelled out: `\\s` means something else on every engine. */
const space =
  '\\x{09}-\\x{0D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}';

/** Text without white space at either end. Two patterns that match once each: Spark has no flag for "all matches", DuckDB needs one. */
export function trimmed(expression: string): string {
  const start = `regexp_replace(${expression}, ${literal(`^[${space}]+`)}, '')`;
  return `regexp_replace(${start}, ${literal(`[${space}]+\\z`)}, '')`;
}

const offset = '[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9]';
const instant = `[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?`;

/**
 * The typed value of trimmed text, null where the text is not exactly a value of the type. Stricter than an engine's own cast,
 * which reads `1e3`, `infinity` or a missing time of day.
 */
export function cast(text: string, type: ColumnType): string {
  if (type === 'text') return text;
  if (type === 'timestamp') return castTimestamp(text);
  if (type === 'date')
    return `case when ${wholeMatch(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}')} then try_cast(${text} as date) end`;
  if (type === 'int' || type === 'bigint')
    return `case when ${wholeMatch(text, '-?[0-9]+')} then try_cast(${text} as ${type}) end`;
  if (type === 'double')
    return `case when ${wholeMatch(text, '-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?')} then try_cast(${text} as double) end`;
  if (type === 'boolean') return `case lower(${text}) when 'true' then true when 'false' then false end`;
  if (type === 'text[]')
    throw new RangeError(
      'Expected a column type that text can be cast to, found text[]. Build lists in a model.',
    );
  const scale = Number(/,(\d+)\)$/.exec(type)![1]);
  const decimals = scale === 0 ? '' : `(?:[.][0-9]{1,${scale}})?`;
  return `case when ${wholeMatch(text, `-?[0-9]+${decimals}`)} then try_cast(${text} as ${type}) end`;
}

/** Engines differ on what an offset means in a plain timestamp, so it is taken off the text and subtracted. */
function castTimestamp(text: string): string {
  const sign = `substr(${text}, length(${text}) - case when ${text} like '%:__' then 5 else 4 end, 1)`;
  const hours = `substr(${text}, length(${text}) - case when ${text} like '%:__' then 4 else 3 end, 2)`;
  const minutes = `substr(${text}, length(${text}) - 1, 2)`;
  const local = `try_cast(regexp_replace(${text}, ${literal(`${offset}\\z`)}, '') as timestamp)`;
  const shift = `(case when ${sign} = '-' then -1 else 1 end) * (cast(${hours} as int) * 60 + cast(${minutes} as int))`;
  return [
    `case when ${wholeMatch(text, `${instant}Z?`)} then try_cast(replace(${text}, 'Z', '') as timestamp)`,
    `when ${wholeMatch(text, `${instant}${offset}`)} then ${local} - interval '1' minute * (${shift}) end`,
  ].join('\n    ');
}

/** Whether a column's value differs from its trimmed source text, which is then kept beside it as `<column>_text`. */
export function keepsText(contract: Contract, column: Column): boolean {
  return column.type !== 'text' || isUpper(contract, column.name);
}

/** The source text of a column, trimmed: where rules and comparisons look. */
export function textColumn(contract: Contract, column: Column): string {
  return keepsText(contract, column) ? `${column.name}_text` : column.name;
}

/** Columns of the source that come from its files, in their order; the others are partition columns. */
export function sourceColumns(contract: Contract): readonly Column[] {
  return contract.table.columns.filter((column) => !contract.table.partitionBy.includes(column.name));
}

/**
 * A select that turns records of text (as `importCsv` writes them) into typed rows: each value typed, or null where it does not cast,
 * its trimmed text beside it, and `verbatim`, the fields as they were, where trimming changed one.
 */
export function castSelect(source: Contract, from: string): string {
  const columns = sourceColumns(source);
  const names = columns.map((column) => column.name);
  const before = names.map((name) => quoted(`${name}_verbatim`));
  const clean = names.map(
    (name, index) => `${trimmed(quoted(name))} as ${quoted(name)},\n  ${quoted(name)} as ${before[index]}`,
  );
  const typed = columns.flatMap((column) => {
    const text = `t.${quoted(column.name)}`;
    const value = isUpper(source, column.name) ? `upper(${text})` : cast(text, column.type);
    return keepsText(source, column)
      ? [`${value} as ${quoted(column.name)}`, `${text} as ${quoted(`${column.name}_text`)}`]
      : [text];
  });
  const changed = names.map((name, index) => `t.${quoted(name)} <> t.${before[index]}`).join(' or ');
  const verbatim = `case when ${changed} then array[${before.map((name) => `t.${name}`).join(', ')}] end as verbatim`;
  const partition = source.table.partitionBy.map(quoted);
  return `select
${selectList([...partition.map((name) => `t.${name}`), 't.source_file', 't.line_number', ...typed, verbatim, 't.malformed', 't.raw'])}
from (
  select
${selectList([...partition, 'source_file', 'line_number', ...clean, 'malformed', 'raw'])}
  from ${from}
) t`;
}
