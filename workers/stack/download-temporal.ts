import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Lets the SDK fetch its official build of the CLI. Returns what went wrong, or null. */
export async function downloadTemporal(
  path: string,
  options: { readonly progress: (line: string) => void },
): Promise<string | null> {
  const folder = join(dirname(path), `download-${process.pid}`);
  await mkdir(folder, { recursive: true });
  options.progress('Downloading the Temporal CLI, once.');
  try {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const server = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: folder } },
    });
    await server.teardown();
    const [file] = await readdir(folder);
    if (file === undefined) return 'the SDK downloaded nothing';
    await rename(join(folder, file), path);
    return null;
  } catch (error) {
    return `the SDK's download failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
