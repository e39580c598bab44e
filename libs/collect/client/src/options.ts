import type { Rejection } from '@tidemark/contract';

/** Why points or samples of this client were left out. */
export interface ClientRejection {
  /** A stable word, as the platform counts it: `value_nan`, `tag_too_long`, `spool_bound` … */
  readonly reason: string;
  readonly field: string;
  readonly limit: string;
  readonly points: number;
  readonly message: string;
}

/** The bounds and times of a client. All are optional where a client is made; the defaults stand beside. */
export interface ClientOptions {
  /** Shown by `tidemark status`; at most 200 bytes. */
  readonly name: string;
  /** Points gather this long, ms; flushes fall on multiples of it. 0 flushes by hand only. Default 10 s. */
  readonly flushIntervalMs: number;
  /** A batch is cut early when its points may encode to more than this. Default 3 MiB. */
  readonly maxBatchBytes: number;
  /** Bytes of batches of one client session in memory. Default 64 MiB. */
  readonly memoryBytes: number;
  /** Series that one client may use. Default 1,000,000. */
  readonly maxSeries: number;
  /** Bytes of the spool over all client sessions; a quarter is kept for stamps. Default 1 GiB. */
  readonly spoolBytes: number;
  /** A spool file is followed by the next at this size. Default 8 MiB, and at most a sixteenth of `spoolBytes`. */
  readonly spoolFileBytes: number;
  /** How far behind the clock explicit timestamps may be, ms, without breaking the promised frontier. Default 0. */
  readonly frontierLagMs: number;
  /** A batch sent and not acknowledged for this long is given up as indeterminate, ms. Default 6 days. */
  readonly giveUpMs: number;
  /**
   * A batch without an answer is sent again after this, ms; an intake that answers nothing at all for as long is left
   * for another. Default 30 s.
   */
  readonly replyTimeoutMs: number;
  /** A stream that is not greeted within this is abandoned, ms. Default 10 s. */
  readonly greetingTimeoutMs: number;
  /** First pause before a new try, ms; it doubles, with jitter. Default 100 ms. */
  readonly backoffMs: number;
  /** Longest such pause, ms. Default 10 s. */
  readonly maxBackoffMs: number;
  /** Client sessions of earlier runs replayed at the same time. Default 4. */
  readonly replayStreams: number;
  /** How long `close` waits for acknowledgements, ms. Default 5 s. */
  readonly closeTimeoutMs: number;
  /** Told of every rejection, from here or from the platform. Must not throw. */
  readonly onRejection?: (rejection: ClientRejection) => void;
}

export const DEFAULT_CLIENT_OPTIONS: Omit<ClientOptions, 'name'> = {
  flushIntervalMs: 10_000,
  maxBatchBytes: 3 * 1024 * 1024,
  memoryBytes: 64 * 1024 * 1024,
  maxSeries: 1_000_000,
  spoolBytes: 1024 * 1024 * 1024,
  spoolFileBytes: 8 * 1024 * 1024,
  frontierLagMs: 0,
  giveUpMs: 6 * 86_400_000,
  replyTimeoutMs: 30_000,
  greetingTimeoutMs: 10_000,
  backoffMs: 100,
  maxBackoffMs: 10_000,
  replayStreams: 4,
  closeTimeoutMs: 5_000,
};

/** A rejection of the platform, as the client passes it on. */
export function rejectionOf(rejection: Rejection): ClientRejection {
  const { reason, field, limit, points, message } = rejection;
  return { reason, field, limit, points, message };
}

/** Points that this client gives up. */
export function givenUp(reason: string, field: string, limit: string, points: number): ClientRejection {
  return { reason, field, limit, points, message: `${points} points given up: ${reason} (${field}: ${limit})` };
}
