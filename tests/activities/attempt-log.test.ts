import { expect, test } from 'vitest';
import { openAttemptLog } from '../../activities/attempt-log.ts';
import type { LogLine } from '../../activities/log-keys.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { attemptLogReader } from '../../workers/task-logs.ts';
import { eventually } from '../support/processes.ts';
import { temporaryFolder } from '../workflows/harness.ts';

const name = { dagId: 'shop', runId: 'r', taskId: 'load', mapIndex: null };
const prefix = 'logs/shop/r/load/1/';
const worker = { log: () => {} };

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of from) found.push(each);
  return found;
}

function linesOf(objects: ObjectStore): Promise<LogLine[]> {
  return all(attemptLogReader(objects, name, 1).next());
}

async function keysOf(objects: ObjectStore): Promise<string[]> {
  return (await all(objects.list(''))).map(({ key }) => key);
}

async function store() {
  const folder = await temporaryFolder();
  return {
    objects: await openFilesystemObjectStore(folder.path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('an attempt of which nothing but its beginning and its end is known leaves no object', async () => {
  await using opened = await store();
  const log = openAttemptLog({ objects: opened.objects, prefix, id: 'a', worker });
  log.say({ level: 'info', event: 'began', message: 'began' });
  log.say({ level: 'info', event: 'ended', message: 'ended' });
  await log.close();
  expect(await keysOf(opened.objects)).toEqual([]);
});

test('lines arrive with their fields and without secrets, while the attempt goes on', async () => {
  await using opened = await store();
  const log = openAttemptLog({ objects: opened.objects, prefix, id: 'a', worker });
  log.say({ level: 'info', event: 'began', message: 'began' });
  log.logger.warn('to postgres://me:hunter2@db/x', { token: 'abc', deep: { note: 'password=sesame', n: 1 } });
  const before = await eventually('the first part', async () => {
    const lines = await linesOf(opened.objects);
    return lines.length > 0 ? lines : null;
  });
  expect(before).toMatchObject([
    { event: 'began' },
    {
      level: 'warn',
      message: 'to postgres://***@db/x',
      fields: { token: '***', deep: { note: 'password=***', n: 1 } },
    },
  ]);
  log.logger.info('second');
  await log.close();
  expect((await linesOf(opened.objects)).map(({ message }) => message)).toEqual([
    'began',
    'to postgres://***@db/x',
    'second',
  ]);
  expect(await keysOf(opened.objects)).toHaveLength(2);
});

test('what JSON cannot hold does not fail the task that logs it', async () => {
  await using opened = await store();
  const log = openAttemptLog({ objects: opened.objects, prefix, id: 'a', worker });
  const round: Record<string, unknown> = { big: 1n, none: undefined, not: Number.NaN, at: new Date(0) };
  round['self'] = round;
  log.logger.info('odd', round as never);
  await log.close();
  expect((await linesOf(opened.objects))[0]).toMatchObject({
    fields: { big: '1n', none: 'undefined', not: 'NaN', at: '1970-01-01T00:00:00.000Z' },
  });
});

test('a line and an attempt are bounded, and say that they were cut', async () => {
  await using opened = await store();
  const log = openAttemptLog({ objects: opened.objects, prefix, id: 'a', worker });
  log.logger.info('é'.repeat(100_000), { a: 'x' });
  await log.close();
  const [line] = await linesOf(opened.objects);
  expect(JSON.stringify(line).length).toBeLessThan(16 * 1024);
  expect(line!.message).toContain('line truncated at 16 KiB');

  // In memory: how fast a disk is must not matter here.
  const parts: string[] = [];
  const put: ObjectStore['put'] = (_key, body) => {
    parts.push(Buffer.from(body as Uint8Array).toString());
    return Promise.resolve(null);
  };
  const chatty = openAttemptLog({ objects: { put }, prefix, id: 'b', worker });
  for (let n = 0; n < 1300; n += 1) {
    chatty.logger.info('y'.repeat(10_000));
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  chatty.say({ level: 'info', event: 'ended', message: 'ended' });
  await chatty.close();
  const lines = parts
    .join('')
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each) as LogLine);
  expect(lines.filter(({ event }) => event === 'truncated').map(({ message }) => message)).toEqual([
    expect.stringContaining('more than 10 MiB'),
  ]);
  expect(lines.at(-1)!.event).toBe('ended');
  expect(lines.length).toBeLessThan(1100);
});

test('a store that was out of reach gets all lines when it is back, and never fails the attempt', async () => {
  await using opened = await store();
  let isDown = true;
  const put: ObjectStore['put'] = (...given) =>
    isDown ? Promise.reject(new Error('disk full')) : opened.objects.put(...given);
  const complaints: string[] = [];
  const log = openAttemptLog({
    objects: { put },
    prefix,
    id: 'a',
    worker: { log: (level, message) => void (level === 'warn' && complaints.push(message)) },
  });
  log.logger.info('one');
  await eventually('a complaint', () => complaints.length > 0 || null);
  log.logger.info('two');
  isDown = false;
  await log.close();
  expect((await linesOf(opened.objects)).map(({ message }) => message)).toEqual(['one', 'two']);
  expect(complaints).toHaveLength(1);
});
