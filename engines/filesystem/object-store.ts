import { mkdir, open, realpath, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CallOptions } from '../../ports/abortable.ts';
import type { ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import { copySynced, moveIntoPlace, removeLeftovers, temporaryPath, writeSynced } from './atomic-files.ts';
import { fileError, isMissing, isNotEmpty } from './file-errors.ts';
import { describeFile } from './object-info.ts';
import { checkedKey, checkedPrefix, temporaryFolder } from './object-keys.ts';
import { walk } from './object-listing.ts';

const chunkBytes = 1 << 20;

type PutOptions = CallOptions & { ifAbsent?: boolean };

/** Objects are files under `root`, a key is a relative path. */
export async function openFilesystemObjectStore(root: string): Promise<ObjectStore> {
  try {
    await mkdir(join(root, temporaryFolder), { recursive: true });
    await removeLeftovers(root);
    return new FilesystemObjectStore(await realpath(root));
  } catch (error) {
    throw fileError(error, root);
  }
}

class FilesystemObjectStore implements ObjectStore {
  readonly #root: string;
  constructor(root: string) {
    this.#root = root;
  }

  async put(
    key: string,
    body: AsyncIterable<Uint8Array> | Uint8Array,
    options: PutOptions = {},
  ): Promise<ObjectInfo | null> {
    return this.#place(checkedKey(key), options.ifAbsent === true, (path) =>
      writeSynced(path, body, options.signal),
    );
  }

  async copy(from: string, to: string): Promise<ObjectInfo> {
    const source = join(this.#root, checkedKey(from));
    if ((await this.head(from)) === null)
      throw fileError(Object.assign(new Error('no object'), { code: 'ENOENT' }), source);
    return (await this.#place(checkedKey(to), false, (path) => copySynced(source, path))) as ObjectInfo;
  }

  async #place(
    key: string,
    ifAbsent: boolean,
    write: (path: string) => Promise<void>,
  ): Promise<ObjectInfo | null> {
    const temporary = temporaryPath(this.#root);
    const path = join(this.#root, key);
    try {
      if (ifAbsent && (await this.head(key)) !== null) return null;
      await write(temporary);
      if (!(await moveIntoPlace(temporary, path, ifAbsent))) return null;
      return await describeFile(this.#root, key);
    } catch (error) {
      throw fileError(error, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async *get(key: string, options: CallOptions & { from?: number } = {}): AsyncIterable<Uint8Array> {
    const path = join(this.#root, checkedKey(key));
    try {
      await using handle = await open(path, 'r');
      let position = options.from ?? 0;
      const read = async () => {
        const { buffer, bytesRead } = await handle.read(
          Buffer.allocUnsafeSlow(chunkBytes),
          0,
          chunkBytes,
          position,
        );
        position += bytesRead;
        return buffer.subarray(0, bytesRead);
      };
      // One chunk ahead, so that the disk and the reader work at the same time.
      let next = read();
      next.catch(() => undefined);
      for (let chunk = await next; chunk.length > 0; chunk = await next) {
        if (options.signal?.aborted === true) throw options.signal.reason;
        next = read();
        next.catch(() => undefined);
        try {
          yield chunk;
        } finally {
          await next.catch(() => undefined);
        }
      }
    } catch (error) {
      throw fileError(error, path);
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    return describeFile(this.#root, checkedKey(key));
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    const cut = checkedPrefix(prefix).lastIndexOf('/') + 1;
    return walk(this.#root, prefix.slice(0, cut), prefix.slice(cut));
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const path = join(this.#root, checkedKey(key));
      try {
        await unlink(path);
      } catch (error) {
        if (isMissing(error)) continue;
        throw fileError(error, path);
      }
      await this.#removeEmptyFolders(dirname(path));
    }
  }

  /** Folders are no objects: an empty one would only litter the lake. */
  async #removeEmptyFolders(folder: string): Promise<void> {
    for (let path = folder; path !== this.#root; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch (error) {
        if (isNotEmpty(error) || isMissing(error)) return;
        throw fileError(error, path);
      }
    }
  }

  location(key: string): string {
    return join(this.#root, checkedPrefix(key));
  }
}
