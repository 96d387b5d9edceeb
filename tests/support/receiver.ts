import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Notification } from '../../ports/notifier.ts';

/** A web server that hears notifications. `answer` says what becomes of each: an HTTP status, or `silence` for ever. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** Those it accepted. */
  readonly accepted: Notification[];
  /** Requests so far, accepted or not. */
  readonly asked: () => number;
  answer: number | 'silence';
}

export async function openReceiver(answer: Receiver['answer'] = 200): Promise<Receiver> {
  let asked = 0;
  const accepted: Notification[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      asked += 1;
      if (receiver.answer === 'silence') return;
      if (receiver.answer < 300) accepted.push(JSON.parse(body) as Notification);
      response.writeHead(receiver.answer).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    accepted,
    asked: () => asked,
    answer,
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
  return receiver;
}
