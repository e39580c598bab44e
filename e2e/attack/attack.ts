/** Where to attack. Every address is on this machine. */
export interface Target {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly dogstatsdPort: number;
  /** A key of the attacking tenant, with the scopes `send` and `read`. */
  readonly key: string;
}

/** Attacks until `signal` aborts. Refusals and closed connections are what it must expect. */
export type Attack = (target: Target, signal: AbortSignal) => Promise<void>;
