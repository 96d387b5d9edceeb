import type { Json } from '../dag/json.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { TaskContext } from './task-context.ts';

/** What attempts keep of jobs that run elsewhere is under `jobs/<dag>.<task>/<run>/…`. */
export const jobRoot = 'jobs/';

/** The run a key under `jobs/` belongs to, or null for a key of another form. */
export function runOfJob(key: string): string | null {
  const [root, , runId, ...rest] = key.split('/');
  return `${root}/` === jobRoot && runId !== undefined && rest.length > 0 ? runId : null;
}

type AttemptName = Pick<TaskContext, 'dagId' | 'taskId' | 'mapIndex' | 'attempt'> & {
  readonly run: { readonly id: string };
};

/** `<dag>.<task>/<run>[/<index>]/<attempt>`: the name under which a job of the attempt is submitted once. */
export function attemptId({ dagId, taskId, run, mapIndex, attempt }: AttemptName): string {
  return `${dagId}.${taskId}/${run.id}/${mapIndex === null ? '' : `${mapIndex}/`}${attempt}`;
}

export interface Memory {
  recall<T extends Json>(name: string): Promise<T | null>;
  remember<T extends Json>(name: string, make: () => Promise<T>): Promise<T>;
}

/** An attempt's memory, in the object store: of two that remember the same at once, the first one is right. */
export function openMemory(objects: ObjectStore, attempt: AttemptName): Memory {
  const keyOf = (name: string): string => `${jobRoot}${attemptId(attempt)}/memory/${name}.json`;

  async function recall<T extends Json>(name: string): Promise<T | null> {
    if ((await objects.head(keyOf(name))) === null) return null;
    const chunks: Uint8Array[] = [];
    for await (const chunk of objects.get(keyOf(name))) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
  }

  return {
    recall,
    async remember<T extends Json>(name: string, make: () => Promise<T>): Promise<T> {
      const known = await recall<T>(name);
      if (known !== null) return known;
      const made = await make();
      const written = await objects.put(keyOf(name), Buffer.from(JSON.stringify(made)), { ifAbsent: true });
      return written === null ? ((await recall<T>(name)) ?? made) : made;
    },
  };
}
