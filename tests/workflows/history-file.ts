import type { Client } from '@temporalio/client';

export type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/**
 * A history as JSON of our own: fields and enums as the SDK has them in memory, bytes as `{ "$bytes": base64 }`. The SDK's own
 * conversion does not work where npm has installed two versions of protobufjs, as it does beside a gRPC client.
 */
export function historyText(history: History): string {
  return JSON.stringify(plain(history));
}

export function readHistory(text: string): History {
  return JSON.parse(text, (_, value: unknown) => {
    const bytes = (value as { $bytes?: unknown } | null)?.$bytes;
    return typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'base64')) : value;
  }) as History;
}

/** Speaks of the machine it was recorded on, and means nothing to a replay. */
const local = new Set(['stackTrace', 'identity', 'lastWorkerIdentity']);

/** Without the `toJSON` of messages and buffers. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value).filter(
    ([key, item]) => item !== null && item !== undefined && !local.has(key),
  );
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}
