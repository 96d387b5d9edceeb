import type { CallOptions } from '../../ports/abortable.ts';

/** What an SDK's `send` takes to be stopped: the platform's own signal. */
export function sendOptions({ signal }: CallOptions = {}): { readonly abortSignal?: AbortSignal } {
  if (signal === undefined) return {};
  if (signal instanceof AbortSignal) return { abortSignal: signal };
  const stop = new AbortController();
  if (signal.aborted) stop.abort(signal.reason);
  else signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true });
  return { abortSignal: stop.signal };
}
