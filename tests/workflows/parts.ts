import { Runtime } from '@temporalio/worker';
import type { Ports, TaskContext } from '../../activities/task-context.ts';
import { createDagFactory } from '../../dag/builder.ts';
import type { Ledger } from '../../ports/ledger.ts';

export const dag = createDagFactory<TaskContext>();

/** A part that the DAGs of these tests have no use for. */
function unused<T extends object>(name: string): T {
  return new Proxy({} as T, {
    get() {
      throw new Error(`${name} is not part of this test`);
    },
  });
}

export function portsWith(ledger: Ledger, others: Partial<Ports> = {}): Ports {
  return {
    objects: unused('objects'),
    sql: unused('sql'),
    notifier: unused('notifier'),
    warehouse: () => Promise.reject(new Error('no warehouse in this test')),
    ledger,
    ...others,
  };
}

let installed = false;

/** Failing tasks are what these tests are about; their warnings are not. */
export function quietRuntime(): void {
  if (installed) return;
  installed = true;
  const quiet = (): void => {};
  const error = (...said: unknown[]): void => console.error(...said);
  Runtime.install({
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error },
    shutdownSignals: [],
  });
}
