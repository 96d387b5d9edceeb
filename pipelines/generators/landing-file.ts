import { copyFile, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const chunkCharacters = 256 * 1024;

/** A file that appears at its path whole: written beside the landing folder and moved there at the end. */
export class LandingFile implements AsyncDisposable {
  bytes = 0;
  private readonly path: string;
  private readonly handle: FileHandle;
  private text = '';

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  static async open(into: string, name: string): Promise<LandingFile> {
    const folder = join(into, '.generating');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${name}.${process.pid}`);
    return new LandingFile(path, await open(path, 'w'));
  }

  /** True once so much is waiting that the caller should `flush`. */
  add(line: string): boolean {
    this.text += line;
    return this.text.length >= chunkCharacters;
  }

  async addBytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    await this.write(bytes);
  }

  async flush(): Promise<void> {
    if (this.text === '') return;
    const bytes = Buffer.from(this.text, 'utf8');
    this.text = '';
    await this.write(bytes);
  }

  /** Puts the file at `paths`, replacing what is there. */
  async moveTo(paths: readonly string[]): Promise<void> {
    await this.flush();
    await this.handle.close();
    const [first, ...others] = paths;
    await mkdir(dirname(first!), { recursive: true });
    for (const path of others) {
      await copyFile(this.path, `${this.path}.again`);
      await rename(`${this.path}.again`, path);
    }
    await rename(this.path, first!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close().catch(() => {});
    await rm(this.path, { force: true });
  }

  private async write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;)
      written += (await this.handle.write(bytes, written)).bytesWritten;
    this.bytes += bytes.length;
  }
}

/** A small file that appears whole. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.part`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
