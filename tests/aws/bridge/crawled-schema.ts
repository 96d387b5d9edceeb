import { hiveType } from './hive-types.ts';
import { listed, quoted, type LakeReader, type StoredFile } from './lake-reader.ts';

export interface CrawledColumn {
  readonly Name: string;
  readonly Type: string;
}

export interface CrawledSchema {
  readonly classification: 'csv' | 'parquet';
  readonly columns: readonly CrawledColumn[];
  /** What CSV needs to be read: the delimiter, and whether its first line is a header. */
  readonly csv: { readonly delimiter: string; readonly hasHeader: boolean } | null;
}

function asName(header: string): string {
  return header
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, '_');
}

async function parquetSchema(reader: LakeReader, files: readonly StoredFile[]): Promise<CrawledSchema> {
  const scan = `read_parquet(${listed(files)}, union_by_name = true, hive_partitioning = false)`;
  const result = await reader.connection.runAndReadAll(`select * from ${scan} limit 0`);
  const types = result.columnTypes().map((type) => hiveType(String(type)));
  const columns = result
    .columnNames()
    .map((name, index) => ({ Name: name.toLowerCase(), Type: types[index] ?? 'string' }));
  return { classification: 'parquet', columns, csv: null };
}

/** How Glue's classifier reads text that breaks the rules of CSV: it goes on. */
const tolerant = `quote = '"', escape = '"', strict_mode = false, ignore_errors = true, null_padding = true, parallel = false`;

/** The one that splits the first line most often. */
async function delimiterOf(reader: LakeReader, file: StoredFile): Promise<string> {
  const line = `read_csv(${quoted(file.uri)}, delim = '', quote = '', header = false, columns = {'line': 'varchar'}, strict_mode = false, ignore_errors = true)`;
  const result = await reader.connection.runAndReadAll(`select line from ${line} limit 1`);
  const first = String(result.getRows()[0]?.[0] ?? '');
  const pieces = (delimiter: string): number => first.split(delimiter).length;
  return [',', ';', '\t', '|'].toSorted((a, b) => pieces(b) - pieces(a))[0]!;
}

/** A cast would not do: DuckDB's of '2.50' to bigint rounds. */
const guesses = {
  bigint: (column: string) => `regexp_full_match(${column}, '[+-]?[0-9]{1,18}')`,
  double: (column: string) => `try_cast(${column} as double) is not null`,
};

/** Types as Glue's CSV classifier guesses them: bigint and double where every value is one, else string. */
async function guessedTypes(reader: LakeReader, scan: string, count: number): Promise<string[]> {
  const kinds = Object.keys(guesses);
  const tests = Array.from({ length: count }, (_, index) =>
    Object.values(guesses).map(
      (fits) =>
        `count(c${index}) filter (where c${index} <> '') > 0 and
         bool_and(c${index} is null or c${index} = '' or ${fits(`c${index}`)})`,
    ),
  ).flat();
  const names = Array.from({ length: count }, (_, index) => `c${index}`).join(', ');
  const result = await reader.connection.runAndReadAll(
    `select ${tests.join(', ')} from (select * from ${scan}) as sample(${names})`,
  );
  const [row = []] = result.getRows();
  return Array.from(
    { length: count },
    (_, index) => kinds.find((_type, kind) => row[index * kinds.length + kind] === true) ?? 'string',
  );
}

async function csvSchema(reader: LakeReader, files: readonly StoredFile[]): Promise<CrawledSchema> {
  const [first] = files as [StoredFile];
  const delimiter = await delimiterOf(reader, first);
  const options = `delim = ${quoted(delimiter)}, all_varchar = true, hive_partitioning = false, ${tolerant}`;
  const scan = (header: boolean): string =>
    `read_csv(${listed(files)}, ${options}, header = ${header}, union_by_name = ${header})`;
  const result = await reader.connection.runAndReadAll(`select * from ${scan(true)} limit 0`);
  const header = result.columnNames();
  const types = await guessedTypes(reader, scan(true), header.length);
  // Glue tells a header by data that is not text while the header is: a file of text only has columns without names.
  const hasHeader =
    types.some((type) => type !== 'string') && header.every((name) => Number.isNaN(Number(name)));
  const columns = types.map((type, index) => ({
    Name: hasHeader ? asName(header[index] ?? '') : `col${index}`,
    Type: type,
  }));
  return { classification: 'csv', columns, csv: { delimiter, hasHeader } };
}

/** What a crawler makes of the files of one table; null for a format it does not know. */
export async function crawledSchema(
  reader: LakeReader,
  files: readonly StoredFile[],
): Promise<CrawledSchema | null> {
  const [first] = files;
  if (first === undefined) return null;
  if (first.uri.endsWith('.parquet')) return await parquetSchema(reader, files);
  if (/\.csv(\.gz)?$/.test(first.uri)) return await csvSchema(reader, files);
  return null;
}
