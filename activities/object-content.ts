import type { CallOptions } from '../ports/abortable.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';

/** Whether two objects hold the same bytes. Sizes and etags decide where they can; only then are the bytes read. */
export async function sameContent(
  objects: ObjectStore,
  a: ObjectInfo,
  b: ObjectInfo,
  options?: CallOptions,
): Promise<boolean> {
  if (a.bytes !== b.bytes) return false;
  if (a.etag === b.etag) return true;
  const left = objects.get(a.key, options)[Symbol.asyncIterator]();
  const right = objects.get(b.key, options)[Symbol.asyncIterator]();
  try {
    return await sameStreams(left, right);
  } finally {
    await Promise.all([left.return?.(), right.return?.()]);
  }
}

async function sameStreams(
  left: AsyncIterator<Uint8Array>,
  right: AsyncIterator<Uint8Array>,
): Promise<boolean> {
  let held: readonly [Uint8Array, Uint8Array] = [new Uint8Array(), new Uint8Array()];
  for (;;) {
    const [x, y] = [await refill(held[0], left), await refill(held[1], right)];
    if (x === null || y === null) return x === y;
    const length = Math.min(x.length, y.length);
    if (Buffer.compare(x.subarray(0, length), y.subarray(0, length)) !== 0) return false;
    held = [x.subarray(length), y.subarray(length)];
  }
}

async function refill(chunk: Uint8Array, from: AsyncIterator<Uint8Array>): Promise<Uint8Array | null> {
  let held = chunk;
  while (held.length === 0) {
    const next = await from.next();
    if (next.done === true) return null;
    held = next.value;
  }
  return held;
}
