import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type DogStatsDServer, listenError, type Receiver, type ServerStatus } from './server.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';
import { udpDrops } from './udp-drops.ts';

export interface UdpServerOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Port to listen on. Default 8125; 0 chooses a free port. */
  readonly port?: number;
  /** Receive buffer to request, bytes; the operating system may grant less. Default 4 MiB. */
  readonly receiveBufferBytes?: number;
  readonly limits: DogStatsDLimits;
  /** Reads a whole text file, for Linux's drop counters; without it, drops are not reported. */
  readonly readText?: (path: string) => Promise<string>;
}

/** DogStatsD over UDP: one datagram holds one or more lines. */
export class UdpServer implements DogStatsDServer {
  readonly #socket: Socket;
  readonly #receiver: Receiver;
  readonly #options: UdpServerOptions;
  #received = 0;
  #receivedBytes = 0;
  #reason: string | undefined;
  #closed = false;

  private constructor(socket: Socket, receiver: Receiver, options: UdpServerOptions) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#options = options;
  }

  /** Opens the socket. Throws `failed_precondition` (address in use), `permission_denied`, `unavailable`. */
  static async listen(receiver: Receiver, options: UdpServerOptions): Promise<UdpServer> {
    const { host = '127.0.0.1', port = 8125, receiveBufferBytes = 4 * 1_024 * 1_024 } = options;
    const socket = createSocket(isIPv6(host) ? { type: 'udp6', ipv6Only: host !== '::' } : { type: 'udp4' });
    const server = new UdpServer(socket, receiver, options);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(listenError(`udp ${host}:${port}`, error));
      });
      socket.bind({ address: host, port, exclusive: true }, resolve);
    });
    socket.removeAllListeners('error');
    socket.on('error', (error) => {
      server.#reason = error.message;
    });
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch {
      // Some systems refuse a size over their maximum instead of capping it. The status shows the actual size.
    }
    socket.on('message', (bytes) => server.#datagram(bytes));
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async status(): Promise<ServerStatus> {
    if (this.#closed) return this.#describe('', { reason: 'closed' });
    const { address, port } = this.#socket.address();
    const droppedByOs = await this.#drops(port, isIPv6(address));
    return this.#describe(isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`, {
      receiveBufferBytes: this.#socket.getRecvBufferSize(),
      ...(droppedByOs === undefined ? {} : { droppedByOs }),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #datagram(bytes: Uint8Array): void {
    this.#received++;
    this.#receivedBytes += bytes.length;
    if (bytes.length > this.#options.limits.datagramBytes) this.#receiver.refused('datagram_bytes_limit');
    else this.#receiver.parse(bytes);
  }

  #describe(address: string, more: Partial<ServerStatus>): ServerStatus {
    return {
      transport: 'udp',
      address,
      listening: !this.#closed,
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      ...more,
    };
  }

  async #drops(port: number, isOverIpv6: boolean): Promise<number | undefined> {
    const readText = this.#options.readText;
    if (readText === undefined) return undefined;
    return udpDrops(await readText(isOverIpv6 ? '/proc/net/udp6' : '/proc/net/udp').catch(() => ''), port);
  }
}
