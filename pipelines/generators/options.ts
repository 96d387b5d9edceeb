import type { Account } from './truth.ts';

export interface GenerateOptions {
  readonly seed: number | string;
  /** Records in the file of each date. */
  readonly rows: number;
  /** `YYYY-MM-DD`; one file each. */
  readonly dates: readonly string[];
  /** Folder under which `landing/<source>/<date>/` is filled. */
  readonly into: string;
  /** Share of rows per kind of dirt, over the defaults; `0` leaves a kind out, naming an opt-in kind puts it in. */
  readonly dirt?: Readonly<Record<string, number>>;
  /** Share of every kind that `dirt` does not name; 0.002 unless given, 0 makes clean files. */
  readonly dirtShare?: number;
  /** Byte order mark and CRLF in every file or in none; unless given, some days have them. */
  readonly bom?: boolean;
  readonly crlf?: boolean;
  /** A second delivery of every file or of none, for sources that have it; unless given, some days have it. */
  readonly deliverTwice?: boolean;
  readonly onProgress?: (progress: {
    readonly date: string;
    readonly rows: number;
    readonly of: number;
  }) => void;
  readonly signal?: AbortSignal;
}

export interface GeneratedFile {
  readonly date: string;
  /** The data files of the date; more than one when it was delivered again. */
  readonly paths: readonly string[];
  readonly truthPath: string;
  readonly bytes: number;
  readonly truth: Truth;
}

/** What `<file>.truth.json` says. Accounts hold for the files of the `dates` generated together, and for the default quarantine rules. */
export interface Truth {
  readonly source: string;
  readonly seed: number | string;
  readonly rows: number;
  readonly date: string;
  readonly dates: readonly string[];
  readonly files: readonly string[];
  readonly bom: boolean;
  readonly crlf: boolean;
  /** Rows per kind of dirt in one delivery of the file. */
  readonly dirt: Readonly<Record<string, number>>;
  readonly account: Account;
  /** Quarantined rows per reason; a row with two reasons counts in both. */
  readonly reasons: Readonly<Record<string, number>>;
}
