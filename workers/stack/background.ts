import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../../ports/errors.ts';
import { prepareHome, readRecord, tryOwn, writeRecord, type StackRecord } from './home.ts';
import { endLeftovers } from './leftovers.ts';
import { endProcess, lives } from './process-identity.ts';

/** What runs in this home now, whoever owns it; null when nothing does. */
export async function runningStack(home: string): Promise<StackRecord | null> {
  const record = await readRecord(home);
  return record !== null && record.state !== 'stopped' && lives(record.supervisor) ? record : null;
}

export interface BackgroundOptions {
  readonly home: string;
  /** A command that owns the stack until it is told to end. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Starts a stack that stays when this process ends, and returns once it is ready. */
export async function startInBackground(options: BackgroundOptions): Promise<StackRecord> {
  await prepareHome(options.home);
  const logFile = join(options.home, 'logs', 'stack.log');
  const log = openSync(logFile, 'w');
  const [command, ...args] = options.command as [string, ...string[]];
  const child = spawn(command, args, { env: options.env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', () => {});
  for (;;) {
    const record = await runningStack(options.home);
    if (record?.state === 'ready') {
      child.unref();
      return record;
    }
    if (options.signal.aborted) child.kill('SIGTERM');
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      options.signal.throwIfAborted();
      const text = await readFile(logFile, 'utf8');
      throw new RetryableError({
        expected: 'the stack to start in the background',
        found: `it ended; its log ends with:\n${text.trimEnd().split('\n').slice(-15).join('\n')}\n`,
        remedy: 'Mend what the log names and start again.',
      });
    }
    await delay(50);
  }
}

const stopMs = 40_000;

/** Ends the stack of a home, whoever runs it, and what crashed ones left. Answers whether there was anything to end. */
export async function stopStack(home: string, say: (line: string) => void): Promise<boolean> {
  const record = await readRecord(home);
  if (record === null) return false;
  const ran = lives(record.supervisor) && record.state !== 'stopped';
  if (ran) await endProcess(record.supervisor, 'SIGTERM', stopMs);
  const lock = tryOwn(home);
  if (lock === null) return ran;
  try {
    const left = await readRecord(home);
    const leftovers = (left?.children ?? []).some((child) => lives(child.program));
    await endLeftovers(left, say);
    if (left !== null) await writeRecord(home, { ...left, state: 'stopped', children: [], env: {} });
    return ran || leftovers;
  } finally {
    lock.release();
  }
}
