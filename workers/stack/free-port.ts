import { createServer, type Server } from 'node:net';

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

/** Ports of 127.0.0.1 that are free now, all different: each wish if it is free, else one the system chooses. */
export async function freePorts(wishes: readonly (number | undefined)[]): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (const wish of wishes) {
      const server = (wish === undefined ? null : await listen(wish)) ?? (await listen(0));
      if (server === null)
        throw new Error(
          'No TCP port of 127.0.0.1 can be opened: check the limits of this machine (ulimit -n) and its loopback interface.',
        );
      servers.push(server);
    }
    return servers.map(portOf);
  } finally {
    await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  }
}
