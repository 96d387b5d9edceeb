import type { Column, PartitionValues } from '../dag/relation.ts';
import type { CallOptions } from './abortable.ts';

/** A file of a partition; partition values are not stored in the file, they come from here. */
export interface InputFile {
  readonly key: string;
  readonly partition: PartitionValues;
}

/** A relation a job may read by `name`: exactly these Parquet files, exactly these columns, even when there is no file. A nullable column that a file was written without is null. */
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

/**
 * Rows of `select` written as Snappy Parquet under `prefix`, in files of bounded size, one folder per combination of
 * `partitionBy` values (columns among `columns`, never null, not stored in the files). Without rows a partitioned output
 * has no partitions; an unpartitioned one always has one.
 */
export interface OutputRelation {
  readonly name: string;
  readonly select: string;
  /**
   * Column order and types of the files. The select must yield exactly these names, and values castable without loss: the
   * job fails when a cast would round, truncate, overflow or drop an offset, and when a column not nullable holds a null.
   */
  readonly columns: readonly Column[];
  readonly partitionBy: readonly string[];
  /** A hint, which changes no result: the one partition that all rows are of, where that is known before. */
  readonly partition?: PartitionValues;
  /** Key prefix in the object store, fresh for this attempt. */
  readonly prefix: string;
}

/** A model: one scan materialised in steps, then any number of outputs and small measurements from it. */
export interface SqlJob {
  /** `<dag>.<task>/<run>/<epoch>`: the idempotency key under which it is submitted once. */
  readonly id: string;
  readonly inputs: readonly InputRelation[];
  readonly inline: readonly InlineRelation[];
  /** Named intermediate relations, one select each, materialised once, in order; later ones see earlier ones. */
  readonly steps: readonly { readonly name: string; readonly sql: string }[];
  readonly outputs: readonly OutputRelation[];
  /** Selects with small results, returned as rows. */
  readonly measures: readonly { readonly name: string; readonly sql: string }[];
}

export interface ColumnStatistics {
  readonly nulls: number;
  /** Text forms, compared by value (text: by code point); null when every value is null or the engine gives none, as for text lists. */
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
 * Columns written: `source_file` (the key), `line_number` (bigint, 1-based line on which the record starts),
 * one text column per name in `columns` (verbatim, null never), `malformed` (boolean), `raw` (text:
 * the text of a malformed record without its line end, undecodable bytes shown as U+FFFD; otherwise null).
 *
 * - A record ends at an LF or CRLF outside of quotes, or at the end of the file. What follows the last line end is a
 *   record only if it is not empty; an empty line anywhere else is a record of one empty field. The first record is the header.
 * - A quote opens a quoted field only as the field's first byte. Inside, two quotes are one quote, and commas, LF and CRLF
 *   are text. A CR that is not followed by LF is text in a bare field.
 * - A record is malformed when it has not exactly as many fields as the header, when a quote stands inside a bare field,
 *   when anything but a comma or a line end follows a closing quote, when a quote is still open at the end of the file,
 *   when it holds a NUL or bytes that are not UTF-8, or when it is longer than 4 MiB. Its fields are then empty texts.
 * - Broken quoting ends with the line it is met on, whatever quotes follow there. A quote that is never closed takes the
 *   rest of the file with it.
 * - Of a malformed record's text the first 65,536 characters are kept; a NUL shows as U+FFFD.
 *
 * Every record of every file is written exactly once, or the job fails. Files hold no order.
 */
export interface CsvJob {
  readonly id: string;
  readonly sources: readonly CsvSource[];
  readonly columns: readonly string[];
  /** True accepts a header with more columns after the known ones; they are written too, as text, empty for records of files that lack them. */
  readonly allowNewColumns: boolean;
  readonly prefix: string;
}

export interface CsvJobResult {
  readonly written: WrittenPartition;
  readonly files: readonly {
    readonly key: string;
    readonly bytes: number;
    readonly etag: string;
    readonly records: number;
    readonly malformed: number;
    readonly header: readonly string[];
  }[];
  readonly durationMs: number;
}

/**
 * Computes with SQL over files. Submitting an id that is running joins that job in place of starting a second; it is
 * stopped when every caller has aborted. An id that has ended runs anew: what is left under its prefixes is removed first.
 * All calls throw TerminalError for SQL that cannot run (with statement, line and column, never with data) and for damaged
 * or missing files, RetryableError for a full disk or memory taken by other jobs.
 */
export interface SqlEngine {
  readonly name: string;
  run(job: SqlJob, options?: CallOptions): Promise<SqlJobResult>;
  /** Throws TerminalError for a file that is empty, has no or a wrong header, is not text, is a folder, cannot be read or changed while it was read; the message names file and place. */
  importCsv(job: CsvJob, options?: CallOptions): Promise<CsvJobResult>;
  /** First record of a CSV file, for discovery of its schema. Same errors as importCsv. */
  csvHeader(key: string, options?: CallOptions): Promise<readonly string[]>;
  /** Column names and types stored in a Parquet file. */
  parquetSchema(key: string): Promise<readonly Column[]>;
  /** Streams the rows of a select over `inputs` as PostgreSQL's CSV copy format (no header; null is the empty unquoted field, a text list an array literal). */
  exportCsv(
    select: string,
    inputs: readonly InputRelation[],
    options?: CallOptions,
  ): AsyncIterable<Uint8Array>;
}
