import type { ObjectStore } from '../ports/object-store.ts';
import type { LogLevel, LogLine } from './log-keys.ts';
import { logLevels } from './log-keys.ts';
import { redact, redactFields } from './redact.ts';
import type { Logger } from './task-context.ts';

/** What a worker that dies may take with it. */
const flushEveryMs = 2000;
const flushAtBytes = 64 * 1024;
const maxAttemptBytes = 10 * 1024 * 1024;
const maxLineBytes = 16 * 1024;
/** A store that does not answer holds up neither the attempt nor the worker's memory. */
const maxPendingBytes = 1024 * 1024;
const closeTimeoutMs = 5000;

interface LogParts {
  readonly objects: Pick<ObjectStore, 'put'>;
  /** Where the attempt's parts are. */
  readonly prefix: string;
  /** Names this try at the attempt: no other one, at the same time or later, writes parts of that name. */
  readonly id: string;
  readonly worker: { log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void };
}

/** Lines of one attempt, on their way into the object store. */
export interface AttemptLog {
  readonly logger: Logger;
  /** Said by the boundary. Alone, these lines are not worth an object, unless `worthy`. */
  say(line: Omit<LogLine, 'at'>, worthy?: boolean): void;
  /** Writes what is left. Never throws, and takes a bounded time. */
  close(): Promise<void>;
}

function shortened(line: LogLine): string {
  const text = JSON.stringify(line);
  if (Buffer.byteLength(text) <= maxLineBytes) return text;
  const { fields: _, message, error, ...rest } = line;
  // A character takes at most six bytes of JSON text.
  const cut = (whole: string, most: number): string =>
    whole.length <= most ? whole : `${whole.slice(0, most)}… (line truncated at ${maxLineBytes / 1024} KiB)`;
  return JSON.stringify({
    ...rest,
    message: cut(message, maxLineBytes / 16),
    ...(line.fields === undefined ? {} : { fields: { truncated: true } }),
    ...(error === undefined
      ? {}
      : { error: { type: error.type, stack: cut(error.stack, maxLineBytes / 16) } }),
  });
}

class StoredLog implements AttemptLog {
  readonly logger: Logger;
  readonly #parts: LogParts;
  #pending: string[] = [];
  #pendingBytes = 0;
  #bytes = 0;
  #lost = 0;
  #isWorthy = false;
  /** Said before there was anything to keep; most attempts never have it. */
  #early: LogLine[] = [];
  #part = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | null = null;
  #hasComplained = false;

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.logger = Object.fromEntries(
      logLevels.map((level) => [
        level,
        (message: string, fields?: Readonly<Record<string, unknown>>) => this.#log(level, message, fields),
      ]),
    ) as unknown as Logger;
  }

  say(line: Omit<LogLine, 'at'>, worthy = false): void {
    const said = { at: new Date().toISOString(), ...line };
    if (worthy) this.#becomeWorthy();
    if (this.#isWorthy) this.#add(said);
    else this.#early.push(said);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#isWorthy) return;
    let clock: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      clock = setTimeout(resolve, closeTimeoutMs);
    });
    const rest = (async () => {
      await this.#writing;
      await this.#write();
    })();
    await Promise.race([rest, tooLate]);
    clearTimeout(clock);
  }

  #log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#parts.worker.log(level, message, fields ?? {});
    if (this.#bytes > maxAttemptBytes) return;
    const at = new Date().toISOString();
    // Callers are not all typed: whatever came in, logging must not be what fails a task.
    const said = redact(String(message).slice(0, maxLineBytes));
    this.#becomeWorthy();
    this.#add({ at, level, message: said, ...(fields ? { fields: redactFields(fields) } : {}) });
    if (this.#bytes > maxAttemptBytes)
      this.say({
        level: 'warn',
        event: 'truncated',
        message: `log truncated: the attempt logged more than ${maxAttemptBytes / 1024 / 1024} MiB; what follows is only in the worker's own log`,
      });
    if (this.#pendingBytes >= flushAtBytes) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushEveryMs).unref();
  }

  #becomeWorthy(): void {
    this.#isWorthy = true;
    for (const line of this.#early.splice(0)) this.#add(line);
  }

  #add(line: LogLine): void {
    if (this.#pendingBytes > maxPendingBytes) {
      this.#lost += 1;
      return;
    }
    const text = shortened(line);
    this.#pending.push(text);
    this.#pendingBytes += Buffer.byteLength(text) + 1;
    this.#bytes += Buffer.byteLength(text) + 1;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== null) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      if (this.#pending.length > 0) this.#timer ??= setTimeout(() => this.#flush(), flushEveryMs).unref();
    });
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const lines = this.#pending;
    const bytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    const key = `${this.#parts.prefix}${this.#parts.id}-${String(this.#part).padStart(6, '0')}.jsonl`;
    try {
      await this.#parts.objects.put(key, Buffer.from(`${lines.join('\n')}\n`));
      this.#part += 1;
      this.#tellLost();
    } catch (error) {
      this.#pending = [...lines, ...this.#pending];
      this.#pendingBytes += bytes;
      if (this.#hasComplained) return;
      this.#hasComplained = true;
      const found = error instanceof Error ? error.message : String(error);
      this.#parts.worker.log('warn', 'could not keep what the task logged; it is tried again', {
        error: redact(found),
      });
    }
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.say({
      level: 'warn',
      event: 'truncated',
      message: `${lost} lines are lost: the object store could not be reached for a while`,
    });
  }
}

/** Keeps what an attempt logs, as JSON lines in numbered parts: whole objects, none of which is ever written twice. */
export function openAttemptLog(parts: LogParts): AttemptLog {
  return new StoredLog(parts);
}
