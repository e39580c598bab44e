import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/**
 * The mode of a link: `open` passes all data; `cut` refuses and resets connections; `stalled` accepts connections and
 * passes nothing, like a network that drops packets; `mute` passes requests and no replies, so that the outcome of a
 * request stays unknown.
 */
export type LinkMode = 'open' | 'cut' | 'stalled' | 'mute';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** A TCP proxy on loopback in front of one port. Put it into advertised addresses, and cut it by `set`. */
export class TcpLink {
  readonly port: number;
  readonly target: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: LinkMode = 'open';

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.target = target;
  }

  static open(target: number): Promise<TcpLink> {
    return new Promise((resolve, reject) => {
      const server = createServer().once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        const link = new TcpLink(server, port, target);
        server.on('connection', (near) => link.#accept(near));
        resolve(link);
      });
      server.unref();
    });
  }

  get mode(): LinkMode {
    return this.#mode;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Changes the mode. Connections reset by `cut` do not return; a `stalled` link that opens passes the held data. */
  set(mode: LinkMode): void {
    this.#mode = mode;
    for (const pair of [...this.#pairs]) {
      if (mode === 'cut') this.#drop(pair);
      else this.#apply(pair);
    }
  }

  /** Resets the open connections, and accepts new ones. */
  reset(): void {
    for (const pair of [...this.#pairs]) this.#drop(pair);
  }

  close(): Promise<void> {
    this.set('cut');
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(near: Socket): void {
    if (this.#mode === 'cut') {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const far = dial(this.target, '127.0.0.1');
    const pair = { near, far };
    this.#pairs.add(pair);
    near.setNoDelay(true);
    far.setNoDelay(true);
    for (const socket of [near, far]) {
      const other = socket === near ? far : near;
      socket.on('data', (chunk) => {
        if (!other.write(chunk)) socket.pause();
      });
      other.on('drain', () => this.#apply(pair));
      socket.on('end', () => other.end());
      socket.on('error', () => this.#drop(pair));
      socket.on('close', () => this.#drop(pair));
    }
    this.#apply(pair);
  }

  /** Pauses or resumes each direction, according to the mode. */
  #apply({ near, far }: Pair): void {
    const passesRequests = this.#mode === 'open' || this.#mode === 'mute';
    if (passesRequests) near.resume();
    else near.pause();
    if (this.#mode === 'open') far.resume();
    else far.pause();
  }

  #drop(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    for (const socket of [pair.near, pair.far]) {
      if (socket.destroyed) continue;
      // Without it, the close would wait until all written data is sent, forever when the peer does not read.
      socket.resetAndDestroy();
      socket.destroy();
    }
  }
}
