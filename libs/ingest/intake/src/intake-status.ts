/** What an intake session shows a tenant: its own clients and points. */
export interface IntakeStatus {
  readonly streams: number;
  readonly queuedBytes: number;
  /** Points that acked batches left out and refused ones held, by reason. */
  readonly rejectedPoints: Record<string, number>;
  /** Names of the clients with an open stream, and of the requests of others, by client session in hex. */
  readonly clientNames: Record<string, string>;
  /** Streams ended, and requests refused, for breaking the protocol or a limit, by reason. */
  readonly violations: Record<string, number>;
  /** What requests had that has no place here and is no error, by reason. */
  readonly leftOut: Record<string, number>;
}
