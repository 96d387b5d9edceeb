import type { Random } from './random.ts';

/** A row before it is written: its fields and the instant they tell, which dirt may move. */
export interface Row {
  readonly fields: string[];
  seconds: number;
  micros: number;
  /** Written in place of the fields where the dirt is in the line itself. */
  line: string | Uint8Array | null;
}

/** One kind of dirt that a row has by itself. */
export interface Blemish {
  readonly name: string;
  /** Left out unless asked for. */
  readonly optIn?: true;
  /** Reasons for which the row is quarantined; none when the pipeline mends or tolerates it. */
  readonly reasons: readonly string[];
  /** Whether the row takes part in de-duplication; true unless said otherwise. */
  readonly keyed?: false;
  readonly edit: (row: Row, random: Random, day: number) => void;
}

/** A second record of another row of the same file. */
export interface Repeat {
  readonly name: string;
  /** Which of the two stays. */
  readonly winner: 'original' | 'repeat';
  /** Reasons for which the repeat is quarantined where it stays. */
  readonly reasons: readonly string[];
  readonly edit: (row: Row, random: Random, day: number) => void;
}

/** A record of the file of `delay` days earlier that comes again. */
export interface Echo {
  readonly name: string;
  readonly delay: number;
  /** Seconds by which its instant differs from the original's, or null where it is unreadable. */
  readonly shift: number | null;
  readonly reasons: readonly string[];
  readonly edit: (row: Row, random: Random, day: number) => void;
}

/** One of the records of a key, over all files. */
export interface Copy {
  readonly day: number;
  readonly shift: number | null;
}

export type Verdict = 'kept' | 'duplicate' | 'superseded';

/** What a generator has to know to make the files of one source. */
export interface Source {
  readonly name: string;
  readonly columns: readonly string[];
  readonly blemishes: readonly Blemish[];
  readonly repeats: readonly Repeat[];
  readonly echoes: readonly Echo[];
  /** Fills `row` with the clean row of an index of a day; depends on nothing but the seed, the day and the index. */
  readonly rows: (seed: number, rows: number) => (row: Row, day: number, index: number) => void;
  /** What becomes of a record among all records of its key. */
  readonly verdict: (copy: Copy, copies: readonly Copy[]) => Verdict;
  /** Days whose file is delivered a second time under another name; null for a source that never does so. */
  readonly deliveredTwice: ((seed: number, day: number) => boolean) | null;
}
