import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../../ports/errors.ts';
import { tryExclusive, type ExclusiveFile } from './exclusive-file.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** A program of the stack, with what it takes to end it should its guard be gone. */
export interface RecordedChild {
  readonly name: string;
  readonly program: ProcessIdentity;
  readonly guard: ProcessIdentity;
  readonly stopSignal: 'INT' | 'TERM';
}

/** `stack.json`: what runs, for those who attach, and for the start after a crash. Only its owner may read it: URLs hold passwords. */
export interface StackRecord {
  readonly format: 1;
  readonly state: 'starting' | 'ready' | 'stopped';
  readonly supervisor: ProcessIdentity;
  readonly startedAt: string;
  readonly ports: Readonly<Record<string, number>>;
  /** What processes that use the stack get in their environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly children: readonly RecordedChild[];
}

export async function readRecord(home: string): Promise<StackRecord | null> {
  try {
    const record = JSON.parse(await readFile(join(home, 'stack.json'), 'utf8')) as StackRecord;
    return record.format === 1 ? record : null;
  } catch {
    // Absent, or half-written by a machine that lost power: nothing is known of earlier starts then.
    return null;
  }
}

/** What to say when whoever holds the stack has not replaced a record that cannot be read: it was written by something else. */
export function unreadableRecord(home: string): TerminalError {
  return new TerminalError({
    expected: 'what the running stack wrote there',
    found: 'other content',
    remedy: 'End the command that holds the stack (Ctrl-C where `ingot dev` runs), and start it again.',
    place: join(home, 'stack.json'),
  });
}

export async function writeRecord(home: string, record: StackRecord): Promise<void> {
  const draft = join(home, `stack.json.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, join(home, 'stack.json'));
}

/** Makes the home folder, or says why it cannot be used. */
export async function prepareHome(home: string): Promise<void> {
  const probe = join(home, `.probe-${process.pid}`);
  try {
    await mkdir(join(home, 'logs'), { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    throw new TerminalError(
      {
        expected: `a folder for the stack's data that can be written`,
        found: (error as Error).message,
        remedy: 'Make it writable, or choose another one with --home or INGOT_HOME.',
        place: home,
      },
      { cause: error },
    );
  }
}

/** The right to run the stack of this home, or null when another process has it. */
export function tryOwn(home: string): ExclusiveFile | null {
  return tryExclusive(join(home, 'stack.lock'));
}
