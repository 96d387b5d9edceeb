import { CloudWatchClient, PutMetricDataCommand, type MetricDatum } from '@aws-sdk/client-cloudwatch';
import { RetryableError } from '../../ports/errors.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { cloudWatchErrors } from './errors.ts';
import { gatherer, portions } from './data.ts';

export interface CloudWatchOptions extends AwsOptions {
  /** `Ingot` unless told. */
  readonly namespace?: string;
  /** Ten seconds unless told. */
  readonly flushMs?: number;
  /** How long what cannot be delivered is tried again; five minutes unless told. */
  readonly keepMs?: number;
  /** Hears of what was dropped. */
  readonly dropped?: (count: number, error: Error) => void;
}

interface Portion {
  readonly data: readonly MetricDatum[];
  readonly takenAt: number;
}

const closeMs = 10_000;

/**
 * Delivers measurements to CloudWatch in the background. Numbers whose delivery was cut off may arrive twice: CloudWatch knows no
 * idempotency key.
 */
export function cloudWatchMetrics(options: CloudWatchOptions): Metrics {
  const { namespace = 'Ingot', flushMs = 10_000, keepMs = 300_000, dropped = () => undefined } = options;
  const client = new CloudWatchClient(clientOptions(options));
  const gathered = gatherer();
  let waiting: readonly Portion[] = [];
  let flushing: Promise<void> = Promise.resolve();

  async function put({ data }: Portion, abortSignal?: AbortSignal): Promise<Error | null> {
    try {
      await client.send(
        new PutMetricDataCommand({ Namespace: namespace, MetricData: [...data] }),
        abortSignal === undefined ? {} : { abortSignal },
      );
      return null;
    } catch (error) {
      return awsError(error, cloudWatchErrors, 'cloudwatch:PutMetricData', `namespace ${namespace}`);
    }
  }

  /** One that fails for now is the sign to leave the others for the next time too. */
  async function flush(abortSignal?: AbortSignal): Promise<void> {
    const now = Date.now();
    const queue = [...waiting, ...portions(gathered.take()).map((data) => ({ data, takenAt: now }))];
    for (let failed: Error | null = null; queue.length > 0; queue.shift()) {
      const portion = queue[0]!;
      failed ??= await put(portion, abortSignal);
      if (failed === null) continue;
      const isOver = !(failed instanceof RetryableError) || now - portion.takenAt >= keepMs;
      if (!isOver) break;
      dropped(portion.data.length, failed);
      if (!(failed instanceof RetryableError)) failed = null;
    }
    waiting = queue;
  }

  const timer = setInterval(() => {
    flushing = flushing.then(() => flush());
  }, flushMs);
  timer.unref();

  return {
    record: (measurements) => {
      for (const measurement of measurements) gathered.add(measurement);
    },
    close: async () => {
      clearInterval(timer);
      await flushing;
      await flush(AbortSignal.timeout(closeMs));
      const left = waiting.reduce((sum, { data }) => sum + data.length, 0);
      if (left > 0) dropped(left, new Error('the worker ended before CloudWatch could be reached'));
      client.destroy();
    },
  };
}
