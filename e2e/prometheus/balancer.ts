import { createServer, type Server, Socket } from 'node:net';

const CONNECT_MS = 1000;

/** A load balancer for intakes: each new connection goes to the next target that accepts it. */
export class Balancer {
  readonly #server: Server;
  readonly #targets: readonly number[];
  readonly #open = new Set<Socket>();
  #next = 0;

  private constructor(server: Server, targets: readonly number[]) {
    this.#server = server;
    this.#targets = targets;
  }

  /** Listens on a free port of loopback; `targets` are ports there. */
  static async start(targets: readonly number[]): Promise<Balancer> {
    const server = createServer();
    const balancer = new Balancer(server, targets);
    server.on('connection', (client) => void balancer.#serve(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async #serve(client: Socket): Promise<void> {
    this.#keep(client);
    for (let attempt = 0; attempt < this.#targets.length; attempt++) {
      const target = await connected(this.#targets[this.#next++ % this.#targets.length]);
      if (target === undefined) continue;
      this.#keep(target);
      client.pipe(target);
      target.pipe(client);
      const end = (): void => {
        client.destroy();
        target.destroy();
      };
      client.on('close', end);
      target.on('close', end);
      return;
    }
    client.destroy();
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#open.delete(socket));
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function connected(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const fail = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(CONNECT_MS, fail);
    socket.once('error', fail);
    socket.connect(port, '127.0.0.1', () => {
      socket.setTimeout(0);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
