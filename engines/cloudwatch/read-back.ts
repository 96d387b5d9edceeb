import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { cloudWatchErrors } from './errors.ts';

export interface MetricQuestion {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly from: Date;
  readonly to: Date;
}

/** Sum of what CloudWatch has of a metric by now. A number takes a minute or two to be seen. */
export async function metricSum(options: AwsOptions, question: MetricQuestion): Promise<number> {
  const { namespace, name, dimensions, from, to } = question;
  const client = new CloudWatchClient(clientOptions(options));
  try {
    const { Datapoints = [] } = await client.send(
      new GetMetricStatisticsCommand({
        Namespace: namespace,
        MetricName: name,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        StartTime: from,
        EndTime: to,
        Period: 60,
        Statistics: ['Sum'],
      }),
    );
    return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
  } catch (error) {
    throw awsError(error, cloudWatchErrors, 'cloudwatch:GetMetricStatistics', `namespace ${namespace}`);
  } finally {
    client.destroy();
  }
}
