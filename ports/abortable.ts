/** The part of `AbortSignal` the ports rely on; an `AbortSignal` is one. */
export interface Abortable {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How a long call is stopped and shows that it lives. `beat` may be called often; it is throttled by the caller's side. */
export interface CallOptions {
  readonly signal?: Abortable;
  readonly beat?: (note?: string) => void;
}
