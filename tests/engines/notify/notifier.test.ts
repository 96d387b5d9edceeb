import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { allNotifiers, logNotifier, webhookNotifier } from '../../../engines/notify/notifier.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { Notification } from '../../../ports/notifier.ts';

const notification: Notification = {
  key: 'payments/1/failed',
  topic: 'payments',
  severity: 'error',
  title: 'payments failed',
  message: 'bronze gave up',
  context: { run: 'r1', attempt: 3 },
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function receiver(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-part`;
}

async function failure(url: string, timeoutMs = 5000): Promise<Error> {
  return webhookNotifier({ url, timeoutMs })
    .notify(notification)
    .then(
      () => new Error('it was accepted'),
      (error: unknown) => error as Error,
    );
}

test('a notification arrives whole, with its key', async () => {
  let heard: unknown;
  const url = await receiver((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      heard = {
        key: request.headers['idempotency-key'],
        path: request.url,
        body: JSON.parse(body) as unknown,
      };
      response.writeHead(202).end();
    });
  });
  await webhookNotifier({ url }).notify(notification);
  expect(heard).toEqual({ key: notification.key, path: '/hook/secret-part', body: notification });
});

test.each([500, 503, 429, 408])('HTTP %i may pass: the error is retryable', async (status) => {
  const url = await receiver((_, response) => response.writeHead(status).end('busy'));
  const error = await failure(url);
  expect(error).toBeInstanceOf(RetryableError);
  expect(error.message).toContain(`HTTP ${status} busy`);
});

test.each([400, 401, 404, 410])(
  'HTTP %i is a refusal for good, told without the address’s secret path',
  async (status) => {
    const url = await receiver((_, response) => response.writeHead(status).end('x'.repeat(5000)));
    const error = await failure(url);
    expect(error).toBeInstanceOf(TerminalError);
    expect(error.message).not.toContain('secret-part');
    expect(error.message.length).toBeLessThan(600);
  },
);

test('a receiver that is not there, or never answers, may come back', async () => {
  expect(await failure('http://127.0.0.1:9/')).toBeInstanceOf(RetryableError);
  const error = await failure(await receiver(() => {}), 100);
  expect(error).toBeInstanceOf(RetryableError);
  expect(error.message).toContain('no answer for 0.1 s');
});

test('a cancelled call ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const url = await receiver(() => stop.abort(new Error('the run was cancelled')));
  await expect(webhookNotifier({ url }).notify(notification, { signal: stop.signal })).rejects.toThrow(
    'the run was cancelled',
  );
});

test('one that fails does not keep the others from being told', async () => {
  const told: string[] = [];
  const log = logNotifier((severity, message, fields) =>
    told.push(`${severity} ${message} ${String(fields['topic'])}`),
  );
  const url = await receiver((_, response) => response.writeHead(404).end());
  await expect(allNotifiers({ webhook: webhookNotifier({ url }), log }).notify(notification)).rejects.toThrow(
    TerminalError,
  );
  expect(told).toEqual(['error payments failed payments']);
});
