import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { passThrough } from './pass-through.ts';

/** A way to the emulator's S3 that counts the bytes of objects each access key was given. */
export interface CountedReads {
  readonly address: string;
  bytesOf(accessKey: string): number;
  close(): Promise<void>;
}

function readerOf(authorization = ''): string {
  return /Credential=([^/]*)\//.exec(authorization)?.[1] ?? '';
}

export async function openCountedReads(emulatorPort: number): Promise<CountedReads> {
  const bytes = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const reader = readerOf(incoming.headers.authorization);
    const isObject = incoming.method === 'GET' && /^\/[^/?]+\/[^?]/.test(incoming.url ?? '');
    const count = (length: number): unknown => bytes.set(reader, (bytes.get(reader) ?? 0) + length);
    passThrough(incoming, outgoing, {
      port: emulatorPort,
      body: null,
      cutAfterBytes: null,
      ...(isObject ? { onBytes: count } : {}),
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytesOf: (accessKey) => bytes.get(accessKey) ?? 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
