import type { Column, PartitionValues } from '../dag/relation.ts';
import type { CallOptions } from './abortable.ts';

/** A file of a partition; partition values are not stored in the file, they come from here. */
export interface InputFile {
  readonly key: string;
  readonly partition: PartitionValues;
}

/** A relation a job may read by `name`: exactly these Parquet files, exactly these columns, even when there is no file. */
export interface InputRelation {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly partitionBy: readonly string[];
  readonly files: readonly InputFile[];
}

/** Small constant relation (at most a few thousand rows): run parameters, rate tables. Values are text, null, or text lists; cast to the column's type. */
export interface InlineRelation {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | null | readonly string[])[])[];
}

/** Rows of `select` written as Snappy Parquet under `prefix`, in files of bounded size, one folder per combination of `partitionBy` values. */
export interface OutputRelation {
  readonly name: string;
  readonly select: string;
  /** Column order and types of the files; the select must yield these names and values castable without loss, else the job fails before anything is published. */
  readonly columns: readonly Column[];
  readonly partitionBy: readonly string[];
  /** Key prefix in the object store, fresh for this attempt. */
  readonly prefix: string;
}

/** A model: one scan materialised in steps, then any number of outputs and small measurements from it. */
export interface SqlJob {
  /** `<dag>.<task>/<run>/<epoch>`: the idempotency key under which it is submitted once. */
  readonly id: string;
  readonly inputs: readonly InputRelation[];
  readonly inline: readonly InlineRelation[];
  /** Named intermediate relations, each materialised once, in order; later ones see earlier ones. */
  readonly steps: readonly { readonly name: string; readonly sql: string }[];
  readonly outputs: readonly OutputRelation[];
  /** Selects with small results, returned as rows. */
  readonly measures: readonly { readonly name: string; readonly sql: string }[];
}

export interface ColumnStatistics {
  readonly nulls: number;
  /** Text forms; null when every value is null or the engine gives none. */
  readonly min: string | null;
  readonly max: string | null;
}

export interface WrittenFile {
  readonly key: string;
  readonly bytes: number;
  readonly rows: number;
}

export interface WrittenPartition {
  readonly partition: PartitionValues;
  readonly files: readonly WrittenFile[];
  readonly rows: number;
  readonly bytes: number;
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
}

/** A value in a result: text for everything but null, booleans and text lists, so that no number loses digits. */
export type ResultValue = string | boolean | null | readonly string[];
export type ResultRow = Readonly<Record<string, ResultValue>>;

export interface SqlJobResult {
  readonly outputs: Readonly<Record<string, readonly WrittenPartition[]>>;
  readonly measures: Readonly<Record<string, readonly ResultRow[]>>;
  readonly engine: string;
  readonly bytesScanned: number;
  readonly durationMs: number;
}

/** Where a source file is and what every row read from it is labelled with. */
export interface CsvSource {
  readonly key: string;
}

/**
 * RFC 4180 CSV (UTF-8, with or without BOM, LF or CRLF, quoted newlines) turned into text Parquet.
 * Columns written: `source_file`, `line_number` (bigint, 1-based line on which the record starts),
 * one text column per name in `columns` (verbatim, null never), `malformed` (boolean), `raw` (text:
 * the raw line of a malformed record with undecodable bytes shown as U+FFFD, otherwise null).
 * A record is malformed when it has not exactly `columns.length` fields or is not decodable or breaks the quoting rules;
 * its fields are then empty texts. Every record of every file is written exactly once, or the job fails.
 */
export interface CsvJob {
  readonly id: string;
  readonly sources: readonly CsvSource[];
  readonly columns: readonly string[];
  /** True accepts a header with more columns after the known ones; they are written too, as text. */
  readonly allowNewColumns: boolean;
  readonly prefix: string;
}

export interface CsvJobResult {
  readonly written: WrittenPartition;
  readonly files: readonly { readonly key: string; readonly bytes: number; readonly etag: string; readonly records: number; readonly malformed: number; readonly header: readonly string[] }[];
  readonly durationMs: number;
}

/** Computes with SQL over files. Submitting the same id again joins the job in place of starting a second. */
export interface SqlEngine {
  readonly name: string;
  run(job: SqlJob, options?: CallOptions): Promise<SqlJobResult>;
  /** Throws TerminalError for a file that is empty, has no or a wrong header, is not text, is a folder, cannot be read or changed while it was read; the message names file and place. */
  importCsv(job: CsvJob, options?: CallOptions): Promise<CsvJobResult>;
  /** First record of a CSV file, for discovery of its schema. Same errors as importCsv. */
  csvHeader(key: string, options?: CallOptions): Promise<readonly string[]>;
  /** Column names and types stored in a Parquet file. */
  parquetSchema(key: string): Promise<readonly Column[]>;
  /** Streams the rows of a select over `inputs` as PostgreSQL's CSV copy format (no header; null is the empty unquoted field). */
  exportCsv(select: string, inputs: readonly InputRelation[], options?: CallOptions): AsyncIterable<Uint8Array>;
}
