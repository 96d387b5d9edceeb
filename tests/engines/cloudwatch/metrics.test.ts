import { randomUUID } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { cloudWatchMetrics } from '../../../engines/cloudwatch/metrics.ts';
import type { Measurement } from '../../../ports/metrics.ts';
import { emulated } from '../../aws/emulated.ts';
import { noBed } from '../../aws/clients.ts';

const bed = inject('aws') ?? noBed;

const runs = (value: number): Measurement => ({
  name: 'runs',
  value,
  unit: 'count',
  dimensions: { dag: 'payments', state: 'success' },
  at: new Date().toISOString(),
});

test('what CloudWatch cannot be given for so long is dropped, which is told, and nothing throws', async () => {
  const dropped: [number, string][] = [];
  const metrics = cloudWatchMetrics({
    ...emulated(noBed),
    flushMs: 20,
    keepMs: 0,
    dropped: (count, error) => dropped.push([count, error.message]),
  });
  metrics.record([runs(1)]);
  await vi.waitFor(() => expect(dropped).toHaveLength(1), { timeout: 20_000 });
  await metrics.close();
  expect(dropped).toEqual([[1, expect.stringMatching(/cloudwatch:PutMetricData/)]]);
});

test('what is left when the worker ends while CloudWatch is out of reach is told', async () => {
  const dropped: number[] = [];
  const metrics = cloudWatchMetrics({
    ...emulated(noBed),
    dropped: (count) => dropped.push(count),
  });
  metrics.record([runs(1)]);
  await metrics.close();
  expect(dropped).toEqual([1]);
});

/** In front of the emulator; busy until it is opened. */
async function openBusyGate(): Promise<{ endpoint: string; refused: () => number; open: () => void }> {
  let refused = 0;
  let isOpen = false;
  const server = createServer((asked, answer) => {
    if (!isOpen) {
      refused += 1;
      answer.writeHead(503).end();
      return;
    }
    const { method, headers, url } = asked;
    const onward = request(new URL(url!, bed.endpoint), { method: method!, headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.pipe(answer);
    });
    asked.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: () => refused,
    open: () => (isOpen = true),
  };
}

describe.skipIf(bed === noBed)(`against emulated CloudWatch ${inject('awsMissing')}`, () => {
  const aws = emulated(bed);
  const client = new CloudWatchClient(aws);

  async function total(namespace: string): Promise<{ sum: number; samples: number }> {
    const { Datapoints = [] } = await client.send(
      new GetMetricStatisticsCommand({
        Namespace: namespace,
        MetricName: 'runs',
        Dimensions: [
          { Name: 'dag', Value: 'payments' },
          { Name: 'state', Value: 'success' },
        ],
        StartTime: new Date(Date.now() - 3_600_000),
        EndTime: new Date(Date.now() + 3_600_000),
        Period: 3600,
        Statistics: ['Sum', 'SampleCount'],
      }),
    );
    return {
      sum: Datapoints.reduce((sum, each) => sum + (each.Sum ?? 0), 0),
      samples: Datapoints.reduce((sum, each) => sum + (each.SampleCount ?? 0), 0),
    };
  }

  test('what was recorded arrives by itself, and the rest when it is closed', async () => {
    const namespace = `Ingot-${randomUUID()}`;
    const metrics = cloudWatchMetrics({ ...aws, namespace, flushMs: 20 });
    metrics.record([runs(1), runs(2)]);
    await vi.waitFor(async () => expect(await total(namespace)).toEqual({ sum: 3, samples: 2 }), {
      timeout: 20_000,
    });
    metrics.record([runs(4)]);
    await metrics.close();
    expect(await total(namespace)).toEqual({ sum: 7, samples: 3 });
  });

  test('measurements outlast a while without CloudWatch', async () => {
    const namespace = `Ingot-${randomUUID()}`;
    const gate = await openBusyGate();
    const dropped: number[] = [];
    const metrics = cloudWatchMetrics({
      ...aws,
      endpoint: gate.endpoint,
      namespace,
      flushMs: 20,
      dropped: (count) => dropped.push(count),
    });
    metrics.record([runs(1)]);
    // More tries than the SDK makes of one call by itself.
    await vi.waitFor(() => expect(gate.refused()).toBeGreaterThan(4), { timeout: 20_000 });
    metrics.record([runs(1)]);
    gate.open();
    await vi.waitFor(async () => expect((await total(namespace)).sum).toBe(2), { timeout: 20_000 });
    await metrics.close();
    expect(dropped).toEqual([]);
  });
});
