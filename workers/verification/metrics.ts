import { metricSum } from '../../engines/cloudwatch/read-back.ts';
import { openMetrics, awsOptions } from '../aws-watching.ts';
import { awaitValue } from './await-value.ts';
import { unexpected } from './outcome.ts';
import type { Verify } from './verification.ts';

const seenMs = 5 * 60_000;
const minute = 60_000;

/** Numbers that are sent, and read back when CloudWatch shows them. */
export const verifyMetrics: Verify = async ({ config, id }, checks) => {
  const { metricsNamespace: namespace } = config;
  if (namespace === null) return checks.skip('metrics', 'aws.cloudwatch.namespace is not set');
  await checks.check(`numbers in ${namespace}`, 'three were sent, their sum 6 is read back', async () => {
    const dropped: Error[] = [];
    const metrics = await openMetrics(config, (_severity, _message, fields) => {
      dropped.push(new Error(String(fields['error'])));
    });
    const at = new Date();
    const dimensions = { verification: id };
    metrics!.record(
      [1, 2, 3].map((value) => ({
        name: 'verified',
        value,
        unit: 'count',
        dimensions,
        at: at.toISOString(),
      })),
    );
    await metrics!.close();
    for (const error of dropped) throw error;
    const from = new Date(at.getTime() - 10 * minute);
    const sum = await awaitValue('the numbers to be seen', seenMs, async () => {
      const to = new Date(Date.now() + minute);
      const found = await metricSum(awsOptions(config), {
        namespace,
        name: 'verified',
        dimensions,
        from,
        to,
      });
      return found === 0 ? null : found;
    });
    if (sum !== 6) throw unexpected('6', String(sum));
    return String(sum);
  });
};
