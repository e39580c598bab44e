import { isAddressInUse, isTidemarkError, systemCode, TidemarkError } from '@tidemark/ports';
import type { Refusal } from './line-refusal.ts';

/** Receives whole datagrams, or whole lines of a stream. The bytes are valid only during the call. */
export interface Receiver {
  parse(bytes: Uint8Array, from?: number, to?: number): void;
  refused(reason: Refusal): void;
}

export interface ServerStatus {
  readonly transport: 'udp' | 'unix-stream' | 'unix-datagram';
  /** `127.0.0.1:8125`, or the path of a socket. */
  readonly address: string;
  readonly listening: boolean;
  /** Reason why it does not listen. */
  readonly reason?: string;
  /** Datagrams, frames or lines received. */
  readonly received: number;
  readonly receivedBytes: number;
  /** Buffer that the operating system granted, bytes; it may be less than requested. */
  readonly receiveBufferBytes?: number;
  /** Datagrams that the operating system dropped because the buffer was full; Linux only. */
  readonly droppedByOs?: number;
}

export interface DogStatsDServer {
  status(): Promise<ServerStatus>;
  close(): Promise<void>;
}

/** File operations that Unix sockets need. */
export interface SocketFiles {
  /** Resolves to true when the path is a socket; false when it is absent or of another type. */
  isSocket(path: string): Promise<boolean>;
  remove(path: string): Promise<void>;
}

/** Makes the error for a socket that cannot be opened; its message says what to do. */
export function listenError(address: string, error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error;
  const code = systemCode(error) ?? 'unknown';
  const detail = { address, cause: code };
  const options = { cause: error };
  if (isAddressInUse(error)) {
    const message = `DogStatsD address ${address} is in use by another process; stop that process or choose another address`;
    return new TidemarkError('failed_precondition', message, detail, options);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new TidemarkError(
      'permission_denied',
      `no permission to listen on DogStatsD address ${address}`,
      detail,
      options,
    );
  }
  return new TidemarkError('unavailable', `cannot listen on DogStatsD address ${address}: ${code}`, detail, options);
}
