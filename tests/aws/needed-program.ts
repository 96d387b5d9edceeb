import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Thrown when this machine lacks what the AWS test bed is made from. The message is the reason of the skipped tests. */
export class NoTestBedError extends Error {
  override readonly name = 'NoTestBedError';
}

/** What a program prints, both streams, or null when it does not run. */
export async function outputOf(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { timeout: 30_000 });
    return `${stdout}${stderr}`;
  } catch {
    return null;
  }
}
