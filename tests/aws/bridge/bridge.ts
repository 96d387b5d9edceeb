import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { passThrough } from './pass-through.ts';

export interface Bridge {
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface BridgeOptions {
  /** Port of the emulator behind it, which may start with the first call. */
  readonly emulatorPort: () => Promise<number>;
}

async function answer(
  options: BridgeOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  passThrough(await options.emulatorPort(), incoming, outgoing);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** What tests take for AWS: the emulator, with what it only pretends done for real. */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const server = createServer((incoming, outgoing) => {
    answer(options, incoming, outgoing).catch((error: unknown) => {
      console.error('The AWS test bed could not answer a call:', error);
      outgoing.writeHead(500).end(String(error));
    });
  });
  // A Spark job may read one object for longer than Node's five minutes.
  server.requestTimeout = 0;
  const port = await listen(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
