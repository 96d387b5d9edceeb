import { Client, Connection } from '@temporalio/client';
import pino from 'pino';
import { glueJobOrigin } from '../engines/glue/job-events.ts';
import { openSqsMessageQueue } from '../engines/sqs/message-queue.ts';
import { TerminalError } from '../ports/errors.ts';
import { awsOptions } from './aws-watching.ts';
import type { Config } from './config.ts';
import { temporalConnectOptions } from './config/temporal.ts';
import { jobEventHandlers } from './job-ended.ts';
import { listen } from './listen.ts';

function queueUrlOf({ queueUrl }: Config): string {
  if (queueUrl !== null) return queueUrl;
  throw new TerminalError({
    expected: 'a queue to read events from',
    found: 'none',
    remedy: 'Set aws.sqs.queue (INGOT_AWS_QUEUE) to the URL of the SQS queue that EventBridge sends to.',
  });
}

/** Listens until `signal` is aborted. `onReady` is called once it does. Any number of listeners may read one queue. */
export async function serveListener(
  config: Config,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onReady: () => Promise<void>,
): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const queue = await openSqsMessageQueue({
    ...awsOptions(config),
    queueUrl: queueUrlOf(config),
    trouble: (error) => log.warn({ error: error.message }, 'tried again'),
  });
  const { namespace, connectionOptions } = temporalConnectOptions(env, config.temporalProfile);
  try {
    const connection = await Connection.connect(
      connectionOptions as Parameters<typeof Connection.connect>[0],
    );
    try {
      const client = new Client({ connection, namespace });
      const handlers = jobEventHandlers(client, glueJobOrigin(awsOptions(config)));
      await onReady();
      log.info({ queue: queue.name, events: Object.keys(handlers) }, 'listening');
      await listen(queue, handlers, log, { signal });
      log.info('what was under way has ended');
    } finally {
      await connection.close();
    }
  } finally {
    queue.close();
  }
}
