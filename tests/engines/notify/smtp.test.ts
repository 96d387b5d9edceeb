import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, test } from 'vitest';
import { smtpNotifier } from '../../../engines/notify/smtp.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { Notification } from '../../../ports/notifier.ts';
import { openMailServer, type MailServer } from '../../support/mail-server.ts';

const notification: Notification = {
  key: 'r1/failed',
  topic: 'oncall',
  severity: 'error',
  title: 'payments failed\r\nBcc: everyone@example.org',
  message: 'bronze: no öl\nhttp://127.0.0.1:8233/x',
  context: { run: 'r1' },
};

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

async function mailServer(options?: SMTPServerOptions): Promise<MailServer> {
  const server = await openMailServer(options);
  opened.push({ close: () => void server[Symbol.asyncDispose]() });
  return server;
}

const from = 'Ingot <ingot@example.org>';
const to = ['a@example.org', 'b@example.org'];

async function failure(url: string): Promise<Error> {
  return smtpNotifier({ url, from, to, timeoutMs: 300 })
    .notify(notification)
    .then(
      () => new Error('it was accepted'),
      (error: unknown) => error as Error,
    );
}

test('a mail arrives at everybody, known by its key, with no header smuggled in', async () => {
  const { url, mails } = await mailServer();
  const notifier = smtpNotifier({ url, from, to });
  await notifier.notify(notification);
  await notifier.notify(notification);
  expect(mails.map((mail) => [mail.from, mail.to])).toEqual([
    ['ingot@example.org', to],
    ['ingot@example.org', to],
  ]);
  const [first, second] = mails.map(({ text }) => text);
  expect(first).toContain('Subject: [error] payments failed Bcc: everyone@example.org');
  expect(first).not.toMatch(/^Bcc:/m);
  expect(first).toContain('X-Ingot-Topic: oncall');
  expect(first).toContain('http://127.0.0.1:8233/x');
  const id = /^Message-ID: (.*)$/im;
  expect(id.exec(first!)![1]).toMatch(/^<[0-9a-f]{40}@example\.org>/);
  expect(id.exec(second!)![1]).toBe(id.exec(first!)![1]);
});

test('user and password of the URL are given to the server, and a refused login may pass', async () => {
  const logins: string[] = [];
  const { url, mails } = await mailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, done) {
      logins.push(`${username}:${password}`);
      if (password === 's3cret') done(null, { user: username });
      else done(new Error('Invalid username or password'));
    },
  });
  const withUser = (password: string) => url.replace('smtp://', `smtp://ingot:${password}@`);
  await smtpNotifier({ url: withUser('s3cret'), from, to }).notify(notification);
  expect(logins).toEqual(['ingot:s3cret']);
  expect(mails).toHaveLength(1);
  const error = await failure(withUser('hunter2'));
  expect(error).toBeInstanceOf(RetryableError);
  expect(error.message).not.toContain('hunter2');
});

test.each([
  [550, TerminalError],
  [451, RetryableError],
])('a recipient refused with %i', async (responseCode, kind) => {
  const { url } = await mailServer({
    onRcptTo(_address, _session, done) {
      done(Object.assign(new Error('not here'), { responseCode }));
    },
  });
  expect(await failure(url)).toBeInstanceOf(kind);
});

test('a server that is not there, or never says a word, may come back', async () => {
  expect(await failure('smtp://127.0.0.1:9')).toBeInstanceOf(RetryableError);
  const sockets = new Set<{ destroy(): void }>();
  const silent = createServer((socket) => void sockets.add(socket));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    },
  });
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const error = await failure(`smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  expect(error).toBeInstanceOf(RetryableError);
});
