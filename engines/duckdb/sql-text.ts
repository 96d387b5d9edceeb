import type { ColumnType } from '../../dag/relation.ts';

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A file to read, by exactly this name: DuckDB would take *, ? and [ for patterns, though not in an address of S3 as we set it up. */
export function fileLiteral(location: string): string {
  if (location.startsWith('s3://')) return literal(location);
  return literal(location.replaceAll(/[[*?]/g, (character) => `[${character}]`));
}

const names: Record<Exclude<ColumnType, `decimal(${string}`>, string> = {
  text: 'VARCHAR',
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  'text[]': 'VARCHAR[]',
};

export function decimalParts(type: ColumnType): { precision: number; scale: number } | null {
  const match = /^decimal\((\d+),(\d+)\)$/.exec(type);
  return match === null ? null : { precision: Number(match[1]), scale: Number(match[2]) };
}

/** DuckDB's own spelling, as DESCRIBE prints it. */
export function duckdbType(type: ColumnType): string {
  const decimal = decimalParts(type);
  return decimal === null
    ? names[type as keyof typeof names]
    : `DECIMAL(${decimal.precision},${decimal.scale})`;
}

const types: Readonly<Record<string, ColumnType>> = {
  VARCHAR: 'text',
  BOOLEAN: 'boolean',
  TINYINT: 'int',
  SMALLINT: 'int',
  INTEGER: 'int',
  UTINYINT: 'int',
  USMALLINT: 'int',
  UINTEGER: 'bigint',
  BIGINT: 'bigint',
  UBIGINT: 'decimal(20,0)',
  FLOAT: 'double',
  DOUBLE: 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  'VARCHAR[]': 'text[]',
};

/** The logical type closest to a type of DuckDB, null when there is none. */
export function columnType(duckdb: string): ColumnType | null {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(duckdb);
  if (decimal !== null) return `decimal(${Number(decimal[1])},${Number(decimal[2])})`;
  return types[duckdb] ?? null;
}

/** One select without the semicolon a file of SQL may end with. */
export function selectText(sql: string): string {
  return sql.replace(/[\s;]+$/, '');
}
