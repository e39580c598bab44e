import type { LocalRefusal, LocalSource, Rejection } from '@tidemark/contract';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';

/** Why points or samples of this client were left out: by the client, or by the platform. */
export interface ClientRejection {
  /** Stable word, as the platform counts it: `value_nan`, `tag_too_long`, `spool_bound` … */
  readonly reason: string;
  /** The field or option whose limit was broken. */
  readonly field: string;
  /** That limit, as text. */
  readonly limit: string;
  /** Points, or samples that had not become points, that were left out. */
  readonly points: number;
  /** Sentence for a person. */
  readonly message: string;
}

/** A setting of this client that harms its points, or a description of a metric that it does not accept. */
export interface ClientWarning {
  /** Stable word: `flush_interval_too_long` … */
  readonly reason: string;
  /** The option to change. */
  readonly field: string;
  /** What it should be, as text. */
  readonly limit: string;
  /** Sentence for a person. */
  readonly message: string;
}

/** Bounds and times of a client. `connect` takes all but `name` as optional. */
export interface ClientOptions {
  /** Name that `tidemark status` shows; 1 to 200 bytes. */
  readonly name: string;
  /**
   * Time that values are gathered before they are sent, ms; flushes fall on multiples of it. 0: by hand only. Default: a
   * third of the platform's lateness bound (D), between 100 ms and 10 s, so that no point is late because it was
   * gathered. A longer interval than two thirds of D is used, and reported to `onWarning`.
   */
  readonly flushIntervalMs?: number;
  /**
   * With `flushIntervalMs` 0, the interval at which the program calls `flush`, ms: for warnings and operators.
   * @internal
   */
  readonly handFlushIntervalMs?: number;
  /**
   * What the program around the client refused or dropped since its start, for `tidemark status`. Must not throw.
   * @internal
   */
  readonly refusals?: () => readonly LocalRefusal[];
  /**
   * What the program around the client reads from or listens on, for `tidemark status`. Must not throw.
   * @internal
   */
  readonly sources?: () => readonly LocalSource[];
  /** Encoded bytes of a batch, at most: a batch is cut early before it may exceed them. Default 3 MiB. */
  readonly maxBatchBytes: number;
  /** Bytes that the unsettled batches of one client session may use in memory. Default 64 MiB. */
  readonly memoryBytes: number;
  /** Series of the client, at most; a new one beyond is rejected until others expire. Default 1,000,000. */
  readonly maxSeries: number;
  /** Time without a value after which a series need not be remembered, ms. Default 1 h. */
  readonly seriesExpiryMs: number;
  /** Bytes of the spool over all client sessions; a quarter is reserved for stamped batches. Default 1 GiB. */
  readonly spoolBytes: number;
  /** Size of one spool file, bytes; at most a sixteenth of `spoolBytes`. Default 8 MiB. */
  readonly spoolFileBytes: number;
  /** Age of explicit timestamps, ms, up to which they don't break the promised frontier. Default 0. */
  readonly frontierLagMs: number;
  /** Time after its stamp at which an unacknowledged batch is given up as indeterminate, ms. Default 6 days. */
  readonly giveUpMs: number;
  /**
   * Time after which a batch without an answer is sent again, ms. An intake that answers no batch for as long is
   * abandoned for another. Default 30 s.
   */
  readonly replyTimeoutMs: number;
  /** Time after which a stream without a greeting is abandoned, ms. Default 10 s. */
  readonly greetingTimeoutMs: number;
  /** First pause before a retry, ms; it doubles with each failure, with jitter. Default 100 ms. */
  readonly backoffMs: number;
  /** Longest pause before a retry, ms. Default 10 s. */
  readonly maxBackoffMs: number;
  /** Client sessions of earlier runs that are sent at the same time. Default 4. */
  readonly replayStreams: number;
  /** Time that `close` waits for acknowledgements, ms. Default 5 s. */
  readonly closeTimeoutMs: number;
  /**
   * Called with each rejection, of the client or of the platform; for arguments of a wrong type, once per reason. An
   * exception that it throws is counted in `callbackErrors`. Default none.
   */
  readonly onRejection?: (rejection: ClientRejection) => void;
  /** Called once with each warning. An exception that it throws is counted in `callbackErrors`. Default none. */
  readonly onWarning?: (warning: ClientWarning) => void;
}

/** Defaults of all options that have one. */
export const DEFAULT_CLIENT_OPTIONS: Omit<ClientOptions, 'name'> = {
  maxBatchBytes: 3 * 1024 * 1024,
  memoryBytes: 64 * 1024 * 1024,
  maxSeries: 1_000_000,
  seriesExpiryMs: 3_600_000,
  spoolBytes: 1024 * 1024 * 1024,
  spoolFileBytes: 8 * 1024 * 1024,
  frontierLagMs: 0,
  giveUpMs: PROTOCOL_TIMES.giveUpMs,
  replyTimeoutMs: 30_000,
  greetingTimeoutMs: 10_000,
  backoffMs: 100,
  maxBackoffMs: 10_000,
  replayStreams: 4,
  closeTimeoutMs: 5_000,
};

/** The platform's rejection as the client reports it. */
export function rejectionOf(rejection: Rejection): ClientRejection {
  const { reason, field, limit, points, message } = rejection;
  return { reason, field, limit, points, message };
}

/** The rejection of points that this client gives up. */
export function givenUp(reason: string, field: string, limit: string, points: number): ClientRejection {
  return { reason, field, limit, points, message: `${points} points given up: ${reason} (${field}: ${limit})` };
}
