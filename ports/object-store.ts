import type { CallOptions } from './abortable.ts';

export interface ObjectInfo {
  /** Path inside the store, `/`-separated, without a leading slash. */
  readonly key: string;
  readonly bytes: number;
  /** Changes whenever the content does. */
  readonly etag: string;
  readonly modifiedAt: string;
}

/**
 * Named byte sequences that appear whole or not at all. Nothing is ever appended to or changed in place. A key is a relative
 * path without empty, `.` or `..` parts; any other is refused with TerminalError. A full disk is a RetryableError.
 */
export interface ObjectStore {
  /** Streams `body` to `key`; readers see the old object until the last byte is stored. With `ifAbsent`, returns null and leaves an existing object alone. */
  put(
    key: string,
    body: AsyncIterable<Uint8Array> | Uint8Array,
    options?: CallOptions & { ifAbsent?: boolean },
  ): Promise<ObjectInfo | null>;
  /** Streams an object from byte `from` (default 0). Throws TerminalError when there is none, when it is a folder or may not be read. */
  get(key: string, options?: CallOptions & { from?: number }): AsyncIterable<Uint8Array>;
  head(key: string): Promise<ObjectInfo | null>;
  /** Objects whose key starts with `prefix`, in the byte order of their keys; any number of them. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  copy(from: string, to: string): Promise<ObjectInfo>;
  /** Removing an absent object is no error. */
  remove(keys: readonly string[]): Promise<void>;
  /** The address under which a SQL engine of the same installation reads or writes `key`. */
  location(key: string): string;
}
