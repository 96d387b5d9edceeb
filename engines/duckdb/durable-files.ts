import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRemote } from './locations.ts';

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

const syncsAtOnce = 16;

/**
 * Files COPY has written are in the system's cache only; a pointer to them must not outlive a power cut that they do not. They are
 * written through while the job computes on, and the job ends when they are. Addresses of stores elsewhere are durable once written.
 */
export class DurableFiles {
  readonly #waiting: string[] = [];
  readonly #syncing = new Set<Promise<void>>();
  readonly #folders = new Set<string>();
  #failure: { readonly error: unknown } | null = null;

  add(locations: readonly string[]): void {
    for (const path of locations.filter((location) => !isRemote(location))) {
      this.#waiting.push(path);
      this.#folders.add(dirname(path));
    }
    while (this.#syncing.size < syncsAtOnce && this.#waiting.length > 0) this.#begin();
  }

  /** Resolves when everything added so far is on the disk; rejects when something could not be written there. */
  async settled(): Promise<void> {
    while (this.#syncing.size > 0) await Promise.all(this.#syncing);
    if (this.#failure !== null) throw this.#failure.error;
    for (const folder of this.#folders) await sync(folder);
    this.#folders.clear();
  }

  #begin(): void {
    const syncing = this.#sync()
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#syncing.delete(syncing));
    this.#syncing.add(syncing);
  }

  async #sync(): Promise<void> {
    for (let path = this.#waiting.shift(); path !== undefined; path = this.#waiting.shift()) await sync(path);
  }
}
