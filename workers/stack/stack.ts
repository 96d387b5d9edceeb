import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExclusiveFile } from './exclusive-file.ts';
import type { GuardedChild } from './guarded-child.ts';
import { prepareHome, readRecord, tryOwn, unreadableRecord, writeRecord, type StackRecord } from './home.ts';
import { endLeftovers } from './leftovers.ts';
import { identify, lives } from './process-identity.ts';
import {
  startPostgres,
  startTemporal,
  startWorker,
  type ProgramContext,
  type StartedProgram,
} from './stack-programs.ts';
import { supervise, type Supervised } from './supervise.ts';
import { tryClose, tryUse } from './users.ts';
import { watchFolders } from './watch-folders.ts';

export interface StackOptions {
  readonly home: string;
  /** Environment of the programs; what the stack adds goes over it. */
  readonly env: NodeJS.ProcessEnv;
  /** What to run here; the rest is somebody's own server. */
  readonly parts: { readonly temporal: boolean; readonly postgres: boolean };
  /** Variables that somebody else sets and the stack leaves alone, such as INGOT_LEDGER_URL. */
  readonly given?: readonly string[];
  readonly retentionDays: number;
  /** The command that runs a worker. */
  readonly worker: readonly string[];
  /** Folders of definitions: when a file in them changes, a worker with the new code takes over. */
  readonly watch?: readonly string[];
  readonly say: (line: string) => void;
  /** Aborting gives up a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  /** False when it runs in another process. */
  readonly owned: boolean;
  /** Addresses and URLs, as environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops what this process owns. Unless `force`, waits first for other commands that use it. */
  close(options?: { readonly force?: boolean }): Promise<void>;
}

class OwnedStack implements Stack {
  readonly owned = true;
  env: Readonly<Record<string, string>> = {};
  readonly #options: StackOptions;
  readonly #lock: ExclusiveFile;
  #record: StackRecord;
  readonly #running = new Map<string, Supervised>();
  readonly #spawned = new Set<GuardedChild>();
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | null = null;
  #unwatch: () => void = () => {};
  #writing: Promise<void> = Promise.resolve();

  constructor(options: StackOptions, lock: ExclusiveFile, earlier: StackRecord | null) {
    this.#options = options;
    this.#lock = lock;
    this.#record = {
      format: 1,
      state: 'starting',
      supervisor: identify(process.pid)!,
      startedAt: new Date().toISOString(),
      ports: earlier?.ports ?? {},
      env: {},
      children: [],
    };
  }

  #update(change: Partial<StackRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    const record = this.#record;
    this.#writing = this.#writing.then(() => writeRecord(this.#options.home, record));
    return this.#writing;
  }

  #context(first: boolean): ProgramContext {
    const { home, retentionDays, worker, say, signal } = this.#options;
    return {
      home,
      retentionDays,
      worker,
      say,
      given: new Set(this.#options.given),
      env: { ...this.#options.env, ...this.env },
      ports: this.#record.ports,
      anyPort: first,
      signal: first ? signal : this.#stopping.signal,
      onSpawn: async (child) => {
        this.#spawned.add(child);
        const { name, program, guard, stopSignal } = child;
        const others = this.#record.children.filter((other) => other.name !== name);
        await this.#update({ children: [...others, { name, program, guard, stopSignal }] });
      },
    };
  }

  async #run(start: (context: ProgramContext) => Promise<StartedProgram>): Promise<void> {
    const { child, ports, env } = await start(this.#context(true));
    this.env = { ...this.env, ...env };
    await this.#update({ ports: { ...this.#record.ports, ...ports }, env: this.env });
    const again = async (): Promise<GuardedChild> => (await start(this.#context(false))).child;
    this.#running.set(child.name, supervise(child, again, this.#options.say));
  }

  async start(): Promise<void> {
    const { parts } = this.#options;
    await this.#update({});
    const servers = [...(parts.temporal ? [startTemporal] : []), ...(parts.postgres ? [startPostgres] : [])];
    const outcomes = await Promise.allSettled(servers.map((start) => this.#run(start)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (parts.temporal) {
      // Before it reads them, so that no change falls in between.
      this.#unwatch = watchFolders(this.#options.watch ?? [], () => void this.#replaceWorker());
      await this.#run(startWorker);
    }
    this.#options.signal?.throwIfAborted();
    await this.#update({ state: 'ready' });
  }

  async #replaceWorker(): Promise<void> {
    const worker = this.#running.get('Worker');
    if (worker === undefined) return;
    await worker.replace();
  }

  /** Worker first, so that it can say goodbye to the others. */
  stopAll(): Promise<void> {
    this.#stopped ??= this.#stopPrograms();
    return this.#stopped;
  }

  async #stopPrograms(): Promise<void> {
    this.#stopping.abort();
    this.#unwatch();
    await this.#running.get('Worker')?.stop();
    await Promise.all([...this.#running.values()].map((program) => program.stop()));
    await Promise.all([...this.#spawned].map((child) => child.stop()));
    await this.#update({ state: 'stopped', children: [], env: {} });
    this.#lock.release();
  }

  async close(options: { readonly force?: boolean } = {}): Promise<void> {
    let closed = tryClose(this.#options.home);
    if (closed === null && !options.force) {
      this.#options.say('Another command still uses the stack: waiting for it to end.');
      while (closed === null && !this.#options.signal?.aborted) {
        await delay(100);
        closed = tryClose(this.#options.home);
      }
    }
    try {
      await this.stopAll();
    } finally {
      closed?.release();
    }
  }
}

/** A stack that starts replaces what it found of an earlier one sooner than this. */
const unreadableMs = 10_000;

/** Uses a stack that runs in another process; null when there is none any more. */
async function attach(options: StackOptions): Promise<Stack | null> {
  const since = Date.now();
  for (let told = false; ; told = true) {
    const lock = tryOwn(options.home);
    lock?.release();
    if (lock !== null) return null;
    const use = tryUse(options.home);
    const record = await readRecord(options.home);
    if (use !== null && record?.state === 'ready' && lives(record.supervisor))
      return { owned: false, env: record.env, close: async () => use.release() };
    use?.release();
    if (record === null && Date.now() - since > unreadableMs && existsSync(join(options.home, 'stack.json')))
      throw unreadableRecord(options.home);
    if (!told) options.say('The stack is being started or stopped by another command: waiting for it.');
    await delay(100, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

async function own(options: StackOptions, lock: ExclusiveFile): Promise<Stack> {
  const earlier = await readRecord(options.home);
  const stack = new OwnedStack(options, lock, earlier);
  try {
    await endLeftovers(earlier, options.say);
    options.signal?.throwIfAborted();
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stopAll();
    throw error;
  }
}

/** Starts the stack of a home folder, or joins the one that runs there. Whatever happens, nothing of it outlives this process. */
export async function openStack(options: StackOptions): Promise<Stack> {
  await prepareHome(options.home);
  for (;;) {
    options.signal?.throwIfAborted();
    const lock = tryOwn(options.home);
    const stack = lock === null ? await attach(options) : await own(options, lock);
    if (stack !== null) return stack;
  }
}
