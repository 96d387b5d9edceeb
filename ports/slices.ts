import type { JsonObject } from '../dag/json.ts';

/**
 * A slice is a part of what one task writes that is a pure function of what it was made of. Its fingerprint is a hash of all
 * of that: versions of the inputs, SQL, contracts, parameters, engine and build. Equal fingerprints mean equal partitions.
 */
export interface SliceFingerprint {
  readonly slice: string;
  readonly fingerprint: string;
}

/** A task of a DAG, whatever the run. */
export interface TaskIdentity {
  readonly dagId: string;
  readonly taskId: string;
  /** -1 for a task that is not mapped. */
  readonly mapIndex: number;
}

/** A slice as the task published it last. */
export interface PublishedSlice extends SliceFingerprint {
  readonly publicationId: number;
  /** Of that publication's manifest. */
  readonly summary: JsonObject;
  /** All partitions of that publication, also of other slices; removed ones are left out. */
  readonly outputs: readonly {
    readonly table: string;
    readonly partition: string;
    readonly version: number;
  }[];
}

/** What a run left as it was. */
export interface LeftUnchanged {
  readonly runs: number;
  readonly tasks: number;
  readonly partitions: number;
}

export interface SliceLog {
  /** Those of the slices that the task has published. */
  publishedSlices(task: TaskIdentity, slices: readonly string[]): Promise<readonly PublishedSlice[]>;
  /** What the runs of a backfill left alone because it was unchanged. */
  leftUnchanged(backfillId: string): Promise<LeftUnchanged>;
}
