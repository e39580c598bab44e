import type { ClientSource, RefusedData } from '@tidemark/contract';

/** Status of an intake session for a tenant: its own clients and points. */
export interface IntakeStatus {
  readonly streams: number;
  readonly queuedBytes: number;
  /** Refused points of accepted and of refused batches, by reason. */
  readonly rejectedPoints: Record<string, number>;
  /** Names of the clients with an open stream, and names for the senders of requests, by client session in hex. */
  readonly clientNames: Record<string, string>;
  /** Names of the clients whose streams have ended, by client session in hex. */
  readonly formerClientNames: Record<string, string>;
  /** Numbers of ended streams and refused requests for violations of the protocol or of a limit, by reason. */
  readonly violations: Record<string, number>;
  /** Numbers of valid data in requests that has no place in the platform, by reason. */
  readonly leftOut: Record<string, number>;
  /** The three counts above with an example each, and what clients with an open stream refused themselves. */
  readonly refused: RefusedData[];
  /** What clients with an open stream read from or listen on. */
  readonly sources: ClientSource[];
}
