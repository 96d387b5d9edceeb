import {
  type DuckDBDataChunk,
  type DuckDBResult,
  type Json,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api';
import type { QueryColumn } from '../../ports/query-service.ts';
import type { ResultValue } from '../../ports/sql-engine.ts';
import { columnType } from './sql-text.ts';

export function resultColumns(result: DuckDBResult): readonly QueryColumn[] {
  return result.columnNames().map((name, at) => {
    const type = String(result.columnType(at));
    return { name, type: columnType(type) ?? type };
  });
}

/** Text for everything but null, booleans and text lists; decimals and large integers keep every digit. */
function resultValue(value: Json): ResultValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

export function resultRows(chunk: DuckDBDataChunk): readonly (readonly ResultValue[])[] {
  return chunk.convertRows(JsonDuckDBValueConverter).map((row) => row.map(resultValue));
}
