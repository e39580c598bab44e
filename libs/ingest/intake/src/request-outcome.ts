import type { Rejection } from '@tidemark/contract';

export interface RequestResult {
  /**
   * `acked`: every point that was not refused is durable. `retry`: nothing was accepted, or it is not known what is
   * stored; the sender must send the request again. `refused`: no retry can succeed, as every point was refused or there
   * are too many.
   */
  readonly outcome: 'acked' | 'retry' | 'refused';
  readonly acceptedPoints: number;
  /** What was left out, by reason; the last one of a `retry` says why it is one. */
  readonly rejections: readonly Rejection[];
  /** When to send it again; 0 unless it is a `retry`. */
  readonly retryAfterMs: number;
}

const RETRY_AFTER_MS = 1000;

/** The result of a request that must be sent again for `cause`. */
export function retryResult(rejections: readonly Rejection[], cause: Rejection): RequestResult {
  return {
    outcome: 'retry',
    acceptedPoints: 0,
    rejections: [...rejections, cause],
    retryAfterMs: RETRY_AFTER_MS,
  };
}

/** The result of a request whose good points are all durable. */
export function settledResult(rejections: readonly Rejection[], acceptedPoints: number): RequestResult {
  const hasOnlyRefused = acceptedPoints === 0 && rejections.some(({ points }) => points > 0);
  return { outcome: hasOnlyRefused ? 'refused' : 'acked', acceptedPoints, rejections, retryAfterMs: 0 };
}
