import { proxyActivities } from '@temporalio/workflow';
import type { noop as noopActivity } from './activities.ts';

const { noop } = proxyActivities<{ noop: typeof noopActivity }>({
  startToCloseTimeout: '1 hour',
  retry: { maximumAttempts: 3 },
});

/** What somebody would write by hand in place of a DAG of `length` tasks in a row. */
export async function chain(length: number): Promise<void> {
  for (let index = 0; index < length; index += 1) await noop();
}

/** And in place of `width` tasks at the same time. */
export async function fanOut(width: number): Promise<void> {
  await Promise.all(Array.from({ length: width }, () => noop()));
}
