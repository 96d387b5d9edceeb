function inner(type: string): string {
  return type.slice(type.indexOf('<') + 1, -1);
}

/** Splits at commas that stand in no brackets. */
function members(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [at, letter] of text.split('').entries()) {
    if ('<('.includes(letter)) depth += 1;
    else if ('>)'.includes(letter)) depth -= 1;
    else if (letter === ',' && depth === 0) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, text.slice(start)];
}

const toDuckdb: Readonly<Record<string, string>> = {
  string: 'varchar',
  int: 'integer',
  float: 'real',
  binary: 'blob',
};

/** What DuckDB calls a type of the Glue catalog. */
export function duckdbType(hive: string): string {
  const type = hive.trim().toLowerCase();
  if (type.startsWith('array<')) return `${duckdbType(inner(type))}[]`;
  if (type.startsWith('map<')) return `map(${members(inner(type)).map(duckdbType).join(', ')})`;
  if (type.startsWith('struct<')) {
    const fields = members(inner(type)).map((field) => {
      const colon = field.indexOf(':');
      return `"${field.slice(0, colon)}" ${duckdbType(field.slice(colon + 1))}`;
    });
    return `struct(${fields.join(', ')})`;
  }
  return toDuckdb[type] ?? type;
}

const toHive: Readonly<Record<string, string>> = {
  VARCHAR: 'string',
  INTEGER: 'int',
  BLOB: 'binary',
  HUGEINT: 'bigint',
  UBIGINT: 'bigint',
  UINTEGER: 'bigint',
};

/** What a Glue crawler calls a type that DuckDB reads from Parquet. */
export function hiveType(duckdb: string): string {
  if (duckdb.endsWith('[]')) return `array<${hiveType(duckdb.slice(0, -2))}>`;
  if (duckdb.startsWith('TIMESTAMP')) return 'timestamp';
  const fields = /^STRUCT\((.*)\)$/s.exec(duckdb)?.[1];
  if (fields !== undefined) {
    const types = members(fields).map((field) => {
      const [, name, type = ''] = /^\s*"?(.*?)"? (\S.*)$/s.exec(field) ?? [];
      return `${name}:${hiveType(type)}`;
    });
    return `struct<${types.join(',')}>`;
  }
  return toHive[duckdb] ?? duckdb.toLowerCase();
}
