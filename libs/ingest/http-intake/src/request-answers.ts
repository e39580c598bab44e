import type { RequestResult } from '@tidemark/intake';
import { httpStatusOf, isTidemarkError, type TidemarkError } from '@tidemark/ports';

/** A status and its explanation, which each protocol puts into its own form. */
export interface HttpAnswer {
  readonly status: number;
  /** One line with field and limit of each error; empty without an error. */
  readonly message: string;
  /** Seconds after which to retry; absent when a retry cannot help. */
  readonly retryAfterSeconds?: number;
}

/** Reasons that are limits of the tenant itself: answered by 429, while others are answered by 503. */
const OWN_BOUNDS: ReadonlySet<string> = new Set(['tenant_pending', 'tenant_streams']);
const RETRY_AFTER_SECONDS = 1;
const TOO_LARGE: ReadonlySet<string> = new Set(['body_too_large', 'raw_too_large', 'request_too_large']);
const UNSUPPORTED: ReadonlySet<string> = new Set(['content_type', 'content_encoding']);

/** Converts the result of a request. `ok` is the protocol's status for a request whose points are all durable. */
export function answerOf({ outcome, acceptedPoints, rejections, retryAfterMs }: RequestResult, ok: number): HttpAnswer {
  if (outcome === 'retry') {
    const cause = rejections.at(-1);
    const status = OWN_BOUNDS.has(cause?.reason ?? '') ? 429 : 503;
    return { status, message: cause?.message ?? 'not stored', retryAfterSeconds: Math.ceil(retryAfterMs / 1000) };
  }
  if (rejections.length === 0) return { status: ok, message: '' };
  const refused = rejections.map(({ message, points }) => `${points} × ${message}`).join('; ');
  const isTooLarge = rejections.some(({ reason }) => reason === 'request_too_large');
  return { status: isTooLarge ? 413 : 400, message: `${acceptedPoints} points stored; refused: ${refused}` };
}

/** Converts the error that ended a request before it had a result. */
export function answerOfError(error: TidemarkError): HttpAnswer {
  const reason = String(error.detail.reason ?? '');
  const { message } = error;
  if (TOO_LARGE.has(reason)) return { status: 413, message };
  if (UNSUPPORTED.has(reason)) return { status: 415, message };
  const status = httpStatusOf(error.code);
  const isForLater = isTidemarkError(error, 'unavailable') || isTidemarkError(error, 'resource_exhausted');
  return isForLater ? { status, message, retryAfterSeconds: RETRY_AFTER_SECONDS } : { status, message };
}
