import { createServer, type Server } from 'node:net';
import { listenError } from './listen-error.ts';

/** A port that a server will listen on. */
export interface WantedPort {
  readonly protocol: Parameters<typeof listenError>[0];
  readonly host: string;
  /** 0 (any free port) and less (none) are not checked. */
  readonly port: number;
}

/**
 * Checks that each port can be opened, and leaves all closed: a start that could not listen changes nothing then. Error:
 * `unavailable` for the first port that can't be opened.
 */
export async function requireFreePorts(wanted: readonly WantedPort[]): Promise<void> {
  const opened: Server[] = [];
  try {
    for (const { protocol, host, port } of wanted) {
      if (port > 0) opened.push(await open(protocol, host, port));
    }
  } finally {
    await Promise.all(opened.map(close));
  }
}

function open(protocol: WantedPort['protocol'], host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => reject(listenError(protocol, host, port, error)));
    server.listen({ host, port }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
