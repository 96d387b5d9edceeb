import type { MetricDatum, StandardUnit } from '@aws-sdk/client-cloudwatch';
import type { Measurement } from '../../ports/metrics.ts';

const units: Readonly<Record<Measurement['unit'], StandardUnit>> = {
  count: 'Count',
  milliseconds: 'Milliseconds',
  bytes: 'Bytes',
};

/** Most different values CloudWatch takes in one datum; of more only their statistics are kept. */
const maxValues = 150;
const maxDimensions = 30;
const maxPerRequest = 1000;
/** CloudWatch takes 1 MB of compressed request; text of this size is far smaller by then. */
const maxTextPerRequest = 900_000;

interface Gathered {
  readonly like: Measurement;
  readonly minute: string;
  readonly values: Map<number, number>;
}

/** CloudWatch takes printable ASCII that does not begin with a colon. */
function dimensionText(value: string): string {
  const text = value
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll(/[^ -~]/gu, '?');
  return text.trim().replace(/^:/, '_').slice(0, 1024) || '-';
}

function dimensionsOf({ dimensions }: Measurement): { Name: string; Value: string }[] {
  return Object.entries(dimensions)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .slice(0, maxDimensions)
    .map(([name, value]) => ({ Name: name, Value: dimensionText(value) }));
}

function datum({ like, minute, values }: Gathered): MetricDatum {
  const common = {
    MetricName: like.name,
    Unit: units[like.unit],
    Dimensions: dimensionsOf(like),
    Timestamp: new Date(minute),
  };
  const pairs = [...values];
  if (pairs.length <= maxValues)
    return { ...common, Values: pairs.map(([value]) => value), Counts: pairs.map(([, count]) => count) };
  return {
    ...common,
    StatisticValues: {
      SampleCount: pairs.reduce((sum, [, count]) => sum + count, 0),
      Sum: pairs.reduce((sum, [value, count]) => sum + value * count, 0),
      Minimum: pairs.reduce((least, [value]) => Math.min(least, value), Infinity),
      Maximum: pairs.reduce((most, [value]) => Math.max(most, value), -Infinity),
    },
  };
}

/** Measurements gathered by name, dimensions and minute, so that a thousand tasks of a minute are one datum. */
export function gatherer(): { add(measurement: Measurement): void; take(): MetricDatum[] } {
  let gathered = new Map<string, Gathered>();
  return {
    add(measurement) {
      if (!Number.isFinite(measurement.value)) return;
      const minute = `${measurement.at.slice(0, 16)}:00Z`;
      const key = JSON.stringify([measurement.name, measurement.unit, minute, dimensionsOf(measurement)]);
      const known = gathered.get(key) ?? { like: measurement, minute, values: new Map() };
      known.values.set(measurement.value, (known.values.get(measurement.value) ?? 0) + 1);
      gathered.set(key, known);
    },
    take() {
      const data = [...gathered.values()].map(datum);
      gathered = new Map();
      return data;
    },
  };
}

/** In portions that fit one request each. */
export function portions(data: readonly MetricDatum[]): MetricDatum[][] {
  const found: MetricDatum[][] = [];
  let room = 0;
  for (const each of data) {
    const size = JSON.stringify(each).length;
    if (found.length === 0 || found.at(-1)!.length === maxPerRequest || size > room) {
      found.push([]);
      room = maxTextPerRequest;
    }
    found.at(-1)!.push(each);
    room -= size;
  }
  return found;
}
