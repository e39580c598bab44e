import { isAddressInUse, isTidemarkError, systemCode, TidemarkError } from '@tidemark/ports';
import type { Refusal } from './refusal.ts';

/** Takes what a server receives: whole datagrams, or whole lines of a stream. The bytes are only lent. */
export interface Receiver {
  parse(bytes: Uint8Array, from?: number, to?: number): void;
  refused(reason: Refusal): void;
}

export interface ServerStatus {
  readonly transport: 'udp' | 'unix-stream' | 'unix-datagram';
  /** `127.0.0.1:8125`, or the path of a socket. */
  readonly address: string;
  readonly listening: boolean;
  /** Why it does not listen. */
  readonly reason?: string;
  /** Datagrams, frames or lines received. */
  readonly received: number;
  readonly receivedBytes: number;
  /** What the operating system granted, which may be less than was asked for. */
  readonly receiveBufferBytes?: number;
  /** Datagrams the operating system let go of because the buffer was full; Linux only. */
  readonly droppedByOs?: number;
}

export interface DogStatsDServer {
  status(): Promise<ServerStatus>;
  close(): Promise<void>;
}

/** What Unix sockets need of the file system. */
export interface SocketFiles {
  /** True when the path is a socket; false when it is anything else, or nothing. */
  isSocket(path: string): Promise<boolean>;
  remove(path: string): Promise<void>;
}

/** The error for a socket that can't be opened, in words that say what to do. */
export function listenError(address: string, error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error;
  const code = systemCode(error) ?? 'unknown';
  const detail = { address, cause: code };
  const options = { cause: error };
  if (isAddressInUse(error)) {
    const message = `DogStatsD address ${address} is in use by another process: stop it or choose another address`;
    return new TidemarkError('failed_precondition', message, detail, options);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new TidemarkError('permission_denied', `not allowed to listen on ${address}`, detail, options);
  }
  return new TidemarkError('unavailable', `can't listen on ${address}: ${code}`, detail, options);
}
