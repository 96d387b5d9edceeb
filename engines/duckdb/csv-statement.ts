import { maxRawCharacters, maxRecordBytes } from './csv-odd-records.ts';
import { identifier, literal } from './sql-text.ts';

export interface CsvShape {
  readonly sourceFile: string;
  /** Names in the file, in order. */
  readonly header: readonly string[];
  /** Text columns to write, in order; one the file lacks is written as empty text. */
  readonly columns: readonly string[];
}

function unescaped(text: string): string {
  return `replace(replace(replace(${text}, chr(2) || 'f', chr(31)), chr(2) || 'e', chr(30)), chr(2) || 'b', chr(2))`;
}

function projection(shape: CsvShape, field: (at: number) => string): string {
  return shape.columns
    .map((column) => {
      const at = shape.header.indexOf(column);
      return `${at === -1 ? `''` : field(at)} AS ${identifier(column)}`;
    })
    .join(', ');
}

/** Lines that are whole records: $1 the lines, $2 the number of the first. */
function plainSelect(shape: CsvShape, carriageReturns: boolean): string {
  const line = carriageReturns ? `CASE WHEN suffix(line, chr(13)) THEN left(line, -1) ELSE line END` : 'line';
  return `
SELECT ${literal(shape.sourceFile)} AS source_file, $2::BIGINT + n - 1 AS line_number, ${projection(shape, (at) => `CASE WHEN bad THEN '' ELSE fields[${at + 1}] END`)},
  bad AS malformed, CASE WHEN bad THEN left(line, ${maxRawCharacters}) END AS raw
FROM (
  SELECT n, line, fields, len(fields) <> ${shape.header.length} OR strlen(line) > ${maxRecordBytes} AS bad
  FROM (SELECT n, line, string_split(line, ',') AS fields FROM (
    SELECT n, ${line} AS line FROM (
      SELECT unnest(lines) AS line, generate_subscripts(lines, 1) AS n FROM (SELECT string_split(decode($1::BLOB), chr(10)) AS lines)
    ) WHERE line <> chr(1)
  ))
)`;
}

/** Records taken apart before: $3. */
function oddSelect(shape: CsvShape, escaped: boolean): string {
  const text = (at: number) => (escaped ? unescaped(`parts[${at}]`) : `parts[${at}]`);
  return `
SELECT ${literal(shape.sourceFile)}, parts[1]::BIGINT, ${projection(shape, (at) => `CASE WHEN bad THEN '' ELSE ${text(at + 3)} END`)}, bad, CASE WHEN bad THEN ${text(3)} END
FROM (SELECT parts, parts[2] = '1' AS bad FROM (
  SELECT string_split(record, chr(31)) AS parts FROM (SELECT unnest(string_split(decode($3::BLOB), chr(30))) AS record) WHERE record <> chr(1)
))`;
}

/** Writes the records of one block into one file. */
export function blockStatement(
  shape: CsvShape,
  block: {
    readonly carriageReturns: boolean;
    readonly odd: { readonly count: number; readonly escaped: boolean };
  },
  path: string,
): string {
  const select =
    block.odd.count === 0
      ? plainSelect(shape, block.carriageReturns)
      : `${plainSelect(shape, block.carriageReturns)}\nUNION ALL${oddSelect(shape, block.odd.escaped)}`;
  return `COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 5000, RETURN_STATS)`;
}
