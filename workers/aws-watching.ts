import type { NotificationLog } from '../engines/notify/notifier.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Config } from './config.ts';

/** What AWS clients are made with. */
export function awsOptions({ region }: Pick<Config, 'region'>): { readonly region?: string } {
  return region === null ? {} : { region };
}

/** Null when nothing is told to SNS. */
export async function openSns(config: Config): Promise<Notifier | null> {
  const { topicPrefix } = config;
  if (topicPrefix === null) return null;
  const { snsNotifier } = await import('../engines/sns/notifier.ts');
  const topics = topicPrefix === '*' ? 'by name' : { arnPrefix: topicPrefix };
  return snsNotifier({ ...awsOptions(config), topics });
}

/** Null when nobody watches numbers. */
export async function openMetrics(config: Config, log: NotificationLog): Promise<Metrics | null> {
  const { metricsNamespace } = config;
  if (metricsNamespace === null) return null;
  const { cloudWatchMetrics } = await import('../engines/cloudwatch/metrics.ts');
  return cloudWatchMetrics({
    ...awsOptions(config),
    namespace: metricsNamespace,
    dropped: (count, error) =>
      log('warning', 'measurements could not be delivered, and are dropped', { count, error: error.message }),
  });
}
