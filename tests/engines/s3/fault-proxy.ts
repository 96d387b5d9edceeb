import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  /** Percent-encoded, with its query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** What happens to one request; undefined: it passes. */
export type Fault =
  /** S3's documented answer in case of an error. */
  | { readonly status: number; readonly code: string; readonly headers?: Record<string, string> }
  | { readonly answer: string }
  /** The connection ends after so many bytes of the answer's body. */
  | { readonly breakAfterBytes: number }
  /** The request is carried out; its answer is lost. */
  | 'lost'
  | 'reset'
  /** Nothing is ever answered. */
  | 'silence';

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  readonly seen: Seen[];
  /** Decides what becomes of a request. */
  fault: (request: Seen) => Fault | undefined;
  /** Told when a request that passed has been answered. */
  answered: (request: Seen) => void;
}

export function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>said ${code}</Message><RequestId>1</RequestId></Error>`;
}

/** Stands before S3 and does what a bad day does; with every request answered here it needs no S3 behind it. */
export async function openFaultProxy(upstream: string): Promise<FaultProxy> {
  const target = new URL(upstream);
  const server = createServer((incoming, outgoing) => {
    outgoing.on('error', () => undefined);
    incoming.on('error', () => undefined);
    const seen = { method: incoming.method!, url: incoming.url!, headers: incoming.headers };
    proxy.seen.push(seen);
    const fault = proxy.fault(seen);
    if (fault === 'reset') incoming.socket.resetAndDestroy();
    else if (fault === 'silence') incoming.resume();
    else if (fault !== undefined && fault !== 'lost' && !('breakAfterBytes' in fault))
      answer(incoming, outgoing, fault);
    else pass(target, incoming, outgoing, fault, () => proxy.answered(seen));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    fault: () => undefined,
    answered: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Exclude<Fault, string | { breakAfterBytes: number }>,
): void {
  incoming.resume();
  incoming.on('end', () => {
    const isError = 'code' in fault;
    outgoing.writeHead(isError ? fault.status : 200, {
      'content-type': 'application/xml',
      ...(isError ? fault.headers : {}),
    });
    outgoing.end(incoming.method === 'HEAD' ? undefined : isError ? errorXml(fault.code) : fault.answer);
  });
}

function pass(
  target: URL,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: 'lost' | { readonly breakAfterBytes: number } | undefined,
  answered: () => void,
): void {
  const onward = request({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
    agent: false,
  });
  onward.on('error', () => outgoing.destroy());
  onward.on('response', (response) => {
    response.on('error', () => outgoing.destroy());
    if (fault === 'lost') {
      response.resume();
      response.on('end', () => incoming.socket.resetAndDestroy());
      return;
    }
    outgoing.writeHead(response.statusCode!, response.headers);
    let left = fault?.breakAfterBytes ?? Number.POSITIVE_INFINITY;
    response.on('data', (chunk: Buffer) => {
      outgoing.write(chunk.subarray(0, Math.min(chunk.length, left)));
      left -= chunk.length;
      // Written bytes are given time to leave: a reset would take them back.
      if (left <= 0) outgoing.socket?.end();
    });
    response.on('end', () => {
      answered();
      if (left > 0) outgoing.end();
    });
  });
  incoming.pipe(onward);
}

/** The first `count` requests that `applies` to have the fault. */
export function first(
  count: number,
  applies: (request: Seen) => boolean,
  fault: Fault,
): (request: Seen) => Fault | undefined {
  let left = count;
  return (seen) => {
    if (left === 0 || !applies(seen)) return undefined;
    left -= 1;
    return fault;
  };
}
