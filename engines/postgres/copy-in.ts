import { once } from 'node:events';
import { from as copyFrom } from 'pg-copy-streams';
import type { CancellableTransaction } from './cancellable.ts';

/** Each chunk costs two writes to the socket, so small ones are gathered. */
const chunkBytes = 64 * 1024;

async function* gathered(rows: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of rows) {
    waiting.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < chunkBytes) continue;
    yield waiting.length === 1 ? chunk : Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/**
 * Streams `rows` into a `copy … from stdin` and answers how many arrived. Written by hand in place of a stream pipeline:
 * the pipeline waits for ever when the server ends the session while the source is silent.
 */
export async function copyIn(
  transaction: CancellableTransaction,
  sql: string,
  rows: AsyncIterable<Uint8Array>,
): Promise<number> {
  const copy = transaction.client.query(copyFrom(sql));
  const failed = once(copy, 'finish').then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => Promise.reject(error as Error),
  );
  failed.catch(() => undefined);
  copy.on('error', () => undefined);
  const unlessFailed = <Value>(wanted: Promise<Value>): Promise<Value> =>
    Promise.race([wanted, failed, transaction.stopped]);
  const source = gathered(rows)[Symbol.asyncIterator]();
  let complete = false;
  try {
    for (;;) {
      const next = await unlessFailed(source.next());
      if (next.done === true) break;
      if (!copy.write(next.value)) await unlessFailed(once(copy, 'drain'));
    }
    copy.end();
    await unlessFailed(once(copy, 'finish'));
    complete = true;
    return copy.rowCount;
  } finally {
    // Not awaited: a source that hangs must not keep the failure from being told.
    if (!complete) void source.return?.().catch(() => undefined);
  }
}
