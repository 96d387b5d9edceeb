import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Body = Record<string, unknown>;

/** Answers a call in the service's place; undefined lets it through. `pass` asks the service, under another action if wanted. */
export type Answer = (
  body: Body,
  pass: (action?: string, body?: Body) => Promise<Reply>,
) => Promise<Reply | undefined> | Reply | undefined;

export interface Interposer extends AsyncDisposable {
  readonly endpoint: string;
  /** Actions in the order in which they were called. */
  readonly calls: readonly { readonly action: string; readonly body: Body }[];
}

export const refused = (name: string, message = name, status = 400): Reply => ({
  status,
  body: { __type: name, message },
});

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Stands before a service that speaks AWS's JSON protocol and answers the named actions itself. */
export async function openInterposer(
  service: string,
  answers: Readonly<Record<string, Answer>>,
): Promise<Interposer> {
  const calls: { action: string; body: Body }[] = [];
  const server = createServer((incoming, outgoing) => {
    const respond = async (): Promise<void> => {
      const body = await read(incoming);
      const target = String(incoming.headers['x-amz-target'] ?? '');
      const [family = '', action = ''] = target.split('.');
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).filter(
          ([name]) => !['host', 'content-length', 'connection'].includes(name),
        ),
      ) as Record<string, string>;
      const pass = (to: string, sent: string | Buffer): Promise<Response> =>
        fetch(service + incoming.url!, {
          method: incoming.method!,
          headers: to === '' ? headers : { ...headers, 'x-amz-target': `${family}.${to}` },
          ...(sent.length === 0 ? {} : { body: sent }),
        });
      const answer = answers[action];
      if (action !== '') {
        const given = JSON.parse(body.toString() || '{}') as Body;
        calls.push({ action, body: given });
        const reply = await answer?.(given, async (to = action, other = given) => {
          const passed = await pass(to, JSON.stringify(other));
          return { status: passed.status, body: await passed.json() };
        });
        if (reply !== undefined) {
          outgoing.writeHead(reply.status, {
            'content-type': 'application/x-amz-json-1.1',
            ...reply.headers,
          });
          outgoing.end(JSON.stringify(reply.body));
          return;
        }
      }
      const passed = await pass(action, body);
      outgoing.writeHead(
        passed.status,
        Object.fromEntries(
          [...passed.headers].filter(([name]) => name !== 'content-encoding' && name !== 'transfer-encoding'),
        ),
      );
      outgoing.end(Buffer.from(await passed.arrayBuffer()));
    };
    respond().catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
