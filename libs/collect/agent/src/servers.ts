import {
  DEFAULT_DOGSTATSD_LIMITS,
  type DogStatsDServer,
  type Receiver,
  type ServerStatus,
  UdpServer,
  UnixDatagramServer,
  UnixStreamServer,
} from '@tidemark/dogstatsd';
import { ipv6LoopbackFor, ipv6LoopbackProblem, isTidemarkError } from '@tidemark/ports';
import type { AgentOptions } from './options.ts';

export interface OpenedServers {
  readonly servers: DogStatsDServer[];
  /** Servers that this host cannot run, with the reason. */
  readonly missing: ServerStatus[];
}

/**
 * Opens the DogStatsD servers of the options, or none of them. A Unix datagram socket whose optional module is absent
 * is left out; any other server that cannot listen is an error.
 */
export async function openServers(receiver: Receiver, options: AgentOptions): Promise<OpenedServers> {
  const { dogstatsd = {}, files, limits = DEFAULT_DOGSTATSD_LIMITS } = options;
  const opened: OpenedServers = { servers: [], missing: [] };
  if (dogstatsd === false) return opened;
  const { udp = {}, streamPath, datagramPath, receiveBufferBytes, loadUnixDatagram } = dogstatsd;
  try {
    if (udp !== false) {
      const buffer = receiveBufferBytes === undefined ? {} : { receiveBufferBytes };
      const readText = (path: string): Promise<string> => files.readText(path);
      const first = await UdpServer.listen(receiver, { ...udp, ...buffer, limits, readText });
      opened.servers.push(first);
      const host = ipv6LoopbackFor(udp.host ?? '127.0.0.1');
      if (host !== undefined) {
        const { port } = first;
        await UdpServer.listen(receiver, { host, port, ...buffer, limits, readText }).then(
          (second) => opened.servers.push(second),
          (error: unknown) => options.onProblem?.(ipv6LoopbackProblem('DogStatsD', port, causeOf(error)), {}),
        );
      }
    }
    if (streamPath !== undefined) {
      opened.servers.push(await UnixStreamServer.listen(receiver, { path: streamPath, limits, files }));
    }
    if (datagramPath !== undefined) {
      const load = loadUnixDatagram === undefined ? {} : { load: loadUnixDatagram };
      const server = UnixDatagramServer.listen(receiver, { path: datagramPath, limits, files, ...load });
      await server.then(
        (listening) => opened.servers.push(listening),
        (error: unknown) => {
          if (!isTidemarkError(error, 'unimplemented')) throw error;
          opened.missing.push(closedServer('unix-datagram', datagramPath, error.message));
        },
      );
    }
  } catch (error) {
    await Promise.all(opened.servers.map((server) => server.close()));
    throw error;
  }
  return opened;
}

/** Returns the system's error behind one of a server. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

/** Returns the status of a server that could not be opened. */
export function closedServer(transport: ServerStatus['transport'], address: string, reason: string): ServerStatus {
  return { transport, address, listening: false, reason, received: 0, receivedBytes: 0 };
}
