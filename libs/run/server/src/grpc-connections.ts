import type { Socket } from 'node:net';
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { isTidemarkError } from '@tidemark/ports';
import type { Connections } from './connections.ts';

/** Returns the tenant of the key of a call; undefined for a caller that is not known. */
export type TenantOfCall = (metadata: Metadata, peer: string) => string | undefined;

/** The status with which the server ends a call. */
export type EndOfCall = Parameters<ServerInterceptingCall['sendStatus']>[0];

/** Calls that every caller may make: they do not show who the caller is. */
const OPEN = /^\/grpc\.(health|reflection)\./;

/** The connections of a gRPC server: finds the connection of a call, and gives it a place by the key of the call. */
export class GrpcConnections {
  readonly #connections: Connections;
  readonly #tenantOf: TenantOfCall;
  readonly #byPeer = new Map<string, Socket>();

  constructor(connections: Connections, tenantOf: TenantOfCall) {
    this.#connections = connections;
    this.#tenantOf = tenantOf;
  }

  open(socket: Socket): void {
    // As a call names its peer.
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#byPeer.set(peer, socket);
    socket.once('close', () => {
      if (this.#byPeer.get(peer) === socket) this.#byPeer.delete(peer);
    });
    this.#connections.open(socket);
  }

  /** Ends all connections. */
  close(): void {
    for (const socket of this.#byPeer.values()) socket.destroy();
  }

  /**
   * Counts the calls of each connection, and reports the end of each call that the server ends. It must be the first
   * interceptor: grpc-js ends some calls, such as those with too large messages, by the innermost call's own method, before
   * any handler or listener of an interceptor receives them.
   */
  counted(onEnd: (path: string, ended: EndOfCall) => void): ServerInterceptor {
    return ({ path }, call) => {
      const socket = this.#byPeer.get(call.getPeer());
      let isActive = socket !== undefined;
      if (socket !== undefined) this.#connections.begin(socket);
      const end = (): void => {
        if (isActive && socket !== undefined) this.#connections.end(socket);
        isActive = false;
      };
      const send = call.sendStatus.bind(call);
      call.sendStatus = (ended) => {
        end();
        onEnd(path, ended);
        send(ended);
      };
      return new ServerInterceptingCall(call, { start: (next) => next({ onCancel: end }) });
    };
  }

  /** Admits the connections of known callers. Must be behind the interceptors that refuse callers. */
  readonly admitted: ServerInterceptor = ({ path }, call) => {
    const socket = this.#byPeer.get(call.getPeer());
    if (socket === undefined || OPEN.test(path)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, go) => {
            const refusal = this.#refusalOf(socket, metadata, call.getPeer());
            if (refusal === undefined) go(metadata);
            else call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details: refusal });
          },
        }),
    });
  };

  /** Gives the connection a place of its tenant. Returns why there is none. */
  #refusalOf(socket: Socket, metadata: Metadata, peer: string): string | undefined {
    const tenant = this.#tenantOf(metadata, peer);
    if (tenant === undefined) return undefined;
    try {
      this.#connections.admit(socket, tenant);
      return undefined;
    } catch (error) {
      if (isTidemarkError(error)) return error.message;
      throw error;
    }
  }
}
