import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { openSqsMessageQueue, pauseByTries, type SqsOptions } from '../../../engines/sqs/message-queue.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { QueueMessage } from '../../../ports/message-queue.ts';
import { emulated } from '../../aws/emulated.ts';
import { noBed } from '../../aws/clients.ts';
import { openGate } from '../../workflows/tcp-gate.ts';
import { testQueues, type TestQueues } from '../../aws/queues.ts';

const bed = inject('aws') ?? noBed;

test('the pause before a message comes again doubles, up to a quarter of an hour', () => {
  expect([1, 2, 3, 8, 9, 100].map(pauseByTries)).toEqual([5, 10, 20, 640, 900, 900]);
});

describe.skipIf(bed === noBed)(`against emulated SQS ${inject('awsMissing')}`, () => {
  const aws = emulated(bed);
  let queues: TestQueues;
  let stop: AbortController;
  let consuming: Promise<void>[];
  beforeEach(() => {
    queues = testQueues(aws);
    stop = new AbortController();
    consuming = [];
  });
  afterEach(async () => {
    stop.abort();
    await Promise.allSettled(consuming);
  });

  async function consume(
    url: string,
    handle: (message: QueueMessage) => Promise<void>,
    options: Partial<SqsOptions> & { readonly atOnce?: number } = {},
  ): Promise<void> {
    const { atOnce = 10, ...rest } = options;
    const queue = await openSqsMessageQueue({
      ...aws,
      queueUrl: url,
      waitSeconds: 1,
      pauseSeconds: () => 0,
      ...rest,
    });
    const running = queue.consume(handle, { signal: stop.signal, atOnce }).finally(() => queue.close());
    consuming.push(running);
    running.catch(() => undefined);
    return running;
  }

  test('every message is handled, and is gone then', async () => {
    const { url } = await queues.withDeadLetters(3);
    for (let n = 0; n < 25; n += 1) await queues.send(url, { n });
    const seen: unknown[] = [];
    void consume(url, async ({ body, received }) => {
      expect(received).toBe(1);
      seen.push((body as { n: number }).n);
    });
    await vi.waitFor(() => expect(new Set(seen).size).toBe(25), { timeout: 20_000 });
    stop.abort();
    await Promise.all(consuming);
    expect(seen).toHaveLength(25);
    expect(await queues.take(url)).toEqual([]);
  });

  test('a handler slower than the visibility timeout has its message to itself', async () => {
    const { url, deadUrl } = await queues.withDeadLetters(3);
    await queues.send(url, { slow: true });
    let handled = 0;
    const others: string[] = [];
    void consume(
      url,
      async () => {
        // The others ask for longer than a message stays hidden by itself.
        for (let asked = 0; asked < 3; asked += 1) others.push(...(await queues.take(url, 1)));
        handled += 1;
      },
      { visibilitySeconds: 1 },
    );
    await vi.waitFor(() => expect(handled).toBe(1), { timeout: 20_000 });
    stop.abort();
    await Promise.all(consuming);
    expect(others).toEqual([]);
    expect(handled).toBe(1);
    expect([...(await queues.take(url, 2)), ...(await queues.take(deadUrl))]).toEqual([]);
  });

  test('what no handler can handle, and what is not JSON, ends in the dead-letter queue; the rest goes on', async () => {
    const { url, deadUrl } = await queues.withDeadLetters(2);
    await queues.send(url, { poison: true });
    await queues.send(url, 'not json {');
    await queues.send(url, { fine: true });
    const tries: unknown[] = [];
    const trouble: Error[] = [];
    void consume(
      url,
      async ({ body, received }) => {
        tries.push([body, received]);
        if (JSON.stringify(body).includes('poison')) throw new Error('cannot');
      },
      { trouble: (error) => trouble.push(error) },
    );
    const dead: string[] = [];
    await vi.waitFor(
      async () => {
        dead.push(...(await queues.take(deadUrl, 1)));
        expect(dead).toHaveLength(2);
      },
      { timeout: 30_000 },
    );
    expect(dead.toSorted()).toEqual(['not json {', '{"poison":true}']);
    expect(tries).toContainEqual([{ fine: true }, 1]);
    expect(tries.filter((each) => JSON.stringify(each).includes('poison'))).toEqual([
      [{ poison: true }, 1],
      [{ poison: true }, 2],
    ]);
    expect(trouble.map(({ message }) => message)).toEqual(['cannot', 'cannot']);
  });

  test('after a stop no message is taken, and handlers under way end', async () => {
    const { url } = await queues.withDeadLetters(3);
    await queues.send(url, { n: 1 });
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let ended = false;
    const running = consume(url, async () => {
      begun.resolve();
      await release.promise;
      ended = true;
    });
    await begun.promise;
    stop.abort();
    await queues.send(url, { n: 2 });
    release.resolve();
    await running;
    expect(ended).toBe(true);
    expect(await queues.take(url, 1)).toEqual(['{"n":2}']);
  });

  test('a stop ends a question that waits for messages', async () => {
    const { url } = await queues.withDeadLetters(3);
    const running = consume(url, () => Promise.resolve(), { waitSeconds: 20 });
    setImmediate(() => stop.abort());
    await running;
    await queues.send(url, { later: true });
    expect(await queues.take(url, 1)).toEqual(['{"later":true}']);
  });

  test('at most as many handlers as asked for work at once', async () => {
    const { url } = await queues.withDeadLetters(3);
    for (let n = 0; n < 8; n += 1) await queues.send(url, { n });
    let working = 0;
    let most = 0;
    let handled = 0;
    void consume(
      url,
      async () => {
        working += 1;
        most = Math.max(most, working);
        await new Promise((resolve) => setImmediate(resolve));
        working -= 1;
        handled += 1;
      },
      { atOnce: 2 },
    );
    await vi.waitFor(() => expect(handled).toBe(8), { timeout: 20_000 });
    expect(most).toBeLessThanOrEqual(2);
  });

  test('while SQS cannot be reached it asks on, and goes on when it is back', async () => {
    const { url } = await queues.withDeadLetters(5);
    const upstream = new URL(bed.endpoint);
    await using gate = await openGate(upstream.hostname, Number(upstream.port));
    const trouble: Error[] = [];
    const seen: unknown[] = [];
    void consume(url, async ({ body }) => void seen.push(body), {
      endpoint: `http://127.0.0.1:${gate.port}`,
      // What SQS had sent into the cut is hidden for so long.
      visibilitySeconds: 2,
      trouble: (error) => trouble.push(error),
    });
    await queues.send(url, { n: 1 });
    await vi.waitFor(() => expect(seen).toEqual([{ n: 1 }]), { timeout: 20_000 });
    await gate.shut();
    await queues.send(url, { n: 2 });
    await vi.waitFor(() => expect(trouble.length).toBeGreaterThan(0), { timeout: 20_000 });
    await gate.open();
    await vi.waitFor(() => expect(seen).toContainEqual({ n: 2 }), { timeout: 20_000 });
    for (const error of trouble) expect(error).toBeInstanceOf(RetryableError);
  });

  test('a queue without a dead-letter queue, or that is not there, is refused with what to do', async () => {
    const { url } = await queues.create();
    await expect(openSqsMessageQueue({ ...aws, queueUrl: url })).rejects.toThrow(
      /redrive policy.*dead-letter queue/,
    );
    const gone = openSqsMessageQueue({ ...aws, queueUrl: `${url}-gone` });
    await expect(gone).rejects.toThrow(TerminalError);
    await expect(gone).rejects.toThrow(/sqs:GetQueueAttributes.*INGOT_AWS_QUEUE/);
  });
});
