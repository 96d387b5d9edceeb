import { Worker as Thread } from 'node:worker_threads';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { KeptAlive } from '../activities/boundary.ts';
import { HeartSlots } from './heart-slots.ts';

const tickEveryMs = 500;

/**
 * A second heart: while the worker's thread is kept busy by a body that computes, a thread of its own beats for all its
 * attempts, so that they are not taken for lost. A body that never ends still runs into its timeout.
 */
export interface Heart extends AsyncDisposable {
  /** From now on until it is disposed of, the attempt with this task token is kept alive. */
  keepAlive(this: void, taskToken: Uint8Array): KeptAlive;
}

export function openHeart(connectionOptions: NativeConnectionOptions, namespace: string): Heart {
  const slots = new HeartSlots();
  const { address, tls, metadata, apiKey } = connectionOptions;
  // What cannot be handed to a thread (functions) is not needed there.
  const options = { address, tls, metadata, ...(typeof apiKey === 'string' ? { apiKey } : {}) };
  const thread = new Thread(new URL('./heart-thread.ts', import.meta.url), {
    workerData: { buffer: slots.buffer, connectionOptions: options, namespace },
  });
  thread.unref();
  // Without it attempts of busy workers are lost more easily, and that is all.
  thread.on('error', () => {});
  const clock = setInterval(() => slots.tick(), tickEveryMs);
  clock.unref();
  return {
    keepAlive: (taskToken) => slots.hold(taskToken),
    async [Symbol.asyncDispose]() {
      clearInterval(clock);
      await thread.terminate();
    },
  };
}
