/** Large buffers used again: fresh ones would cost page faults and garbage collections in proportion to the data. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  /** At least `bytes` long, with arbitrary content. */
  take(bytes: number): Buffer {
    const at = this.#free.findIndex((buffer) => buffer.length >= bytes);
    return at === -1 ? Buffer.allocUnsafeSlow(bytes) : this.#free.splice(at, 1)[0]!;
  }

  give(buffer: Buffer): void {
    if (this.#free.length < 8) this.#free.push(buffer);
  }
}
