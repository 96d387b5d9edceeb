import { workerData } from 'node:worker_threads';
import type { Connection, ConnectionOptions } from '@temporalio/client';
import { HeartSlots } from './heart-slots.ts';

/** Beats for the attempts of a worker whose own thread is busy. */
const { buffer, connectionOptions, namespace } = workerData as {
  buffer: SharedArrayBuffer;
  connectionOptions: ConnectionOptions;
  namespace: string;
};
const lookEveryMs = 500;
/** Well below any sensible heartbeat timeout, well above what garbage collection takes. */
const busyAfterMs = 2000;

const beatEveryMs = 1000;

const slots = new HeartSlots(buffer);
let connection: Promise<Connection> | undefined;
let ticks = slots.ticks();
let changedAt = performance.now();
let beating = false;

/** Made when it is needed first: most workers never are that busy. */
function connect(): Promise<Connection> {
  connection ??= import('@temporalio/client').then((client) => client.Connection.connect(connectionOptions));
  connection.catch(() => (connection = undefined));
  return connection;
}

async function beat(tokens: readonly Uint8Array[]): Promise<void> {
  const { workflowService } = await connect();
  // An attempt that ended meanwhile is no longer known to the server, which is no one's concern.
  await Promise.allSettled(
    tokens.map((taskToken) => workflowService.recordActivityTaskHeartbeat({ namespace, taskToken })),
  );
}

function look(): void {
  const now = performance.now();
  if (slots.ticks() !== ticks) {
    ticks = slots.ticks();
    changedAt = now;
  }
  const tokens = now - changedAt < busyAfterMs ? slots.forsaken() : slots.held();
  if (beating || tokens.length === 0) return;
  beating = true;
  void beat(tokens)
    .catch(() => undefined)
    .finally(() => setTimeout(() => (beating = false), beatEveryMs));
}

setInterval(look, lookEveryMs);
