import { createServer, type Server } from 'node:net';
import { RetryableError } from '../../ports/errors.ts';

function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TypeError(`a TCP server has a port, found ${address}`);
  return address.port;
}

/** Ports of 127.0.0.1 that are free now, all different: each wish if it is free, else one the system chooses, unless `anyPort` forbids. */
export async function freePorts(wishes: readonly (number | undefined)[], anyPort = true): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (const wish of wishes) {
      const server = (await listen(wish ?? 0)) ?? (anyPort ? await listen(0) : null);
      if (server === null) throw noPort(anyPort ? undefined : wish);
      servers.push(server);
    }
    return servers.map(portOf);
  } finally {
    await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  }
}

function noPort(wish: number | undefined): RetryableError {
  return wish === undefined
    ? new RetryableError({
        expected: 'a free TCP port on 127.0.0.1',
        found: 'none',
        remedy: 'Check the limits of this machine (ulimit -n) and its loopback interface.',
      })
    : new RetryableError({
        expected: `port ${wish} to be free`,
        found: 'another program on it',
        remedy: 'End that program.',
      });
}
