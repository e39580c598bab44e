import type { Rejection } from '@tidemark/contract';

export interface RequestResult {
  /**
   * `acked`: every point that was not refused is durable. `retry`: nothing was accepted, or it is unknown what is
   * stored; the sender must send the request again. `refused`: no retry can succeed, since every point was refused or
   * there are too many.
   */
  readonly outcome: 'acked' | 'retry' | 'refused';
  readonly acceptedPoints: number;
  /** Refused points by reason. The last one of a `retry` is its cause. */
  readonly rejections: readonly Rejection[];
  /** Time after which to send the request again; 0 unless it is a `retry`. */
  readonly retryAfterMs: number;
}

const RETRY_AFTER_MS = 1000;

/** Returns the result of a request that must be sent again because of `cause`. */
export function retryResult(rejections: readonly Rejection[], cause: Rejection): RequestResult {
  return {
    outcome: 'retry',
    acceptedPoints: 0,
    rejections: [...rejections, cause],
    retryAfterMs: RETRY_AFTER_MS,
  };
}

/** Returns the result of a request whose good points are all durable. */
export function settledResult(rejections: readonly Rejection[], acceptedPoints: number): RequestResult {
  const hasOnlyRefused = acceptedPoints === 0 && rejections.some(({ points }) => points > 0);
  return { outcome: hasOnlyRefused ? 'refused' : 'acked', acceptedPoints, rejections, retryAfterMs: 0 };
}
