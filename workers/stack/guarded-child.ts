import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, renameSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { RetryableError } from '../../ports/errors.ts';
import { endProcess, identify, type ProcessIdentity } from './process-identity.ts';

/**
 * Runs "$@" and ends it when standard input ends, that is when whoever holds the other end closes it or dies, however it dies.
 * Postgres and the Temporal server cannot watch their parent themselves; a shell of 1 MB can.
 */
const guardScript = `
signal=$1; grace=$2; shift 2
exec 4<&0
"$@" </dev/null 3>&- 4<&- &
child=$!
(
  read -r _ <&4
  trap : TERM
  kill -s "$signal" "$child"
  tenths=0
  while kill -0 "$child"; do
    if [ "$tenths" -ge "$grace" ]; then kill -s KILL "$child"; exit; fi
    sleep 0.1
    tenths=$((tenths + 1))
  done
) 2>/dev/null 3>&- &
watcher=$!
trap 'kill -s "$signal" "$child" 2>/dev/null' HUP INT TERM
exec 4<&-
# Only now: who knows the program may signal the guard.
echo "$child" >&3
exec 3>&-
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
# A signal that arrives as the child ends takes the place of its code; the shell still knows it, or says 127.
wait "$child" 2>/dev/null
last=$?
[ "$last" -eq 127 ] || code=$last
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$code"
`;

export interface ChildSpec {
  /** How people call it: "Postgres". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly logFile: string;
  /** What asks it to end; after `graceMs` it is killed. */
  readonly stopSignal: 'INT' | 'TERM';
  readonly graceMs: number;
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedChild {
  readonly name: string;
  readonly program: ProcessIdentity;
  /** The shell that watches over it. */
  readonly guard: ProcessIdentity;
  readonly stopSignal: 'INT' | 'TERM';
  readonly logFile: string;
  /** Settles when the program has ended, for whatever reason. */
  readonly exited: Promise<ChildExit>;
  readonly hasExited: () => boolean;
  /** The end of what it wrote to its log since it started. */
  logTail(lines?: number): string;
  stop(): Promise<void>;
}

function readTail(file: string, from: number, lines: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const size = fstatSync(descriptor).size;
    const start = Math.max(from, size - 16_384);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    readSync(descriptor, buffer, 0, buffer.length, start);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.trim();
}

const longestLogBytes = 16 * 1024 ** 2;

/** Opens the log for appending; a long one makes room first. */
function openLog(file: string): number {
  const log = openSync(file, 'a');
  if (fstatSync(log).size < longestLogBytes) return log;
  closeSync(log);
  renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}

function spawnGuard(spec: ChildSpec, log: number): ChildProcess {
  const grace = String(Math.ceil(spec.graceMs / 100));
  return spawn(
    '/bin/sh',
    ['-c', guardScript, 'ingot-guard', spec.stopSignal, grace, spec.command, ...spec.args],
    {
      cwd: spec.folder,
      env: spec.env,
      // A process group of its own: Ctrl-C in the terminal reaches the supervisor only, which ends things in order.
      detached: true,
      stdio: ['pipe', log, log, 'pipe'],
      ...spec.user,
    },
  );
}

function exitOf(guard: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    guard.once('error', () => resolve({ code: 127, signal: null }));
    guard.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Starts a program that ends with this process, and whose output goes to a file. */
export async function startGuarded(spec: ChildSpec): Promise<GuardedChild> {
  const log = openLog(spec.logFile);
  const logStart = fstatSync(log).size;
  const guard = spawnGuard(spec, log);
  closeSync(log);
  const guardExit = exitOf(guard);
  const lifeline = guard.stdin as Writable;
  lifeline.on('error', () => {});
  const pid = Number(await firstLine(guard.stdio[3] as Readable));
  if (!(pid > 0) || guard.pid === undefined) {
    lifeline.end();
    throw new RetryableError({
      expected: `a shell to start ${spec.name}`,
      found: '/bin/sh does not run',
      remedy: 'Mend it, or the limits of this account (ulimit -u).',
    });
  }
  const program = identify(pid) ?? { pid, started: 'ended at once' };
  let ended = false;
  const exited = guardExit.then(async (exit) => {
    // A guard that was killed leaves its program behind.
    await endProcess(program, `SIG${spec.stopSignal}`, spec.graceMs);
    ended = true;
    return exit;
  });
  return {
    name: spec.name,
    program,
    guard: identify(guard.pid) ?? { pid: guard.pid, started: 'ended at once' },
    stopSignal: spec.stopSignal,
    logFile: spec.logFile,
    exited,
    hasExited: () => ended,
    logTail: (lines = 15) => readTail(spec.logFile, logStart, lines),
    stop: async () => {
      lifeline.end();
      await exited;
    },
  };
}
