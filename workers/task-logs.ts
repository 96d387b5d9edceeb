import {
  attemptLogPrefix,
  instanceLogPrefix,
  type AttemptName,
  type LogLine,
} from '../activities/log-keys.ts';
import type { ObjectStore } from '../ports/object-store.ts';

async function textOf(objects: ObjectStore, key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Attempts of a task instance that logged something. */
export async function loggedAttempts(objects: ObjectStore, name: AttemptName): Promise<readonly number[]> {
  const prefix = instanceLogPrefix(name);
  const found = new Set<number>();
  for await (const { key } of objects.list(prefix)) {
    const [attempt, ...part] = key.slice(prefix.length).split('/');
    if (part.length === 1 && /^\d+$/.test(attempt!)) found.add(Number(attempt));
  }
  return [...found].sort((a, b) => a - b);
}

/** The log of one attempt as it grows: every call answers the lines that were not there before. */
export function attemptLogReader(
  objects: ObjectStore,
  name: AttemptName,
  attempt: number,
): { readonly next: () => AsyncIterable<LogLine> } {
  const seen = new Set<string>();
  return {
    async *next() {
      for await (const { key } of objects.list(attemptLogPrefix(name, attempt))) {
        if (seen.has(key)) continue;
        seen.add(key);
        const lines = (await textOf(objects, key)).split('\n').filter((line) => line !== '');
        yield* lines.map((line) => JSON.parse(line) as LogLine);
      }
    },
  };
}
