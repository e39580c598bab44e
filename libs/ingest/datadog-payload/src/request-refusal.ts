import { limitError, type TidemarkError } from '@tidemark/ports';

/** Reason why a whole request is refused. All other errors of a request have the platform's own reasons. */
export type RequestRefusal = 'body_too_large' | 'body_malformed' | 'content_type' | 'content_encoding';

/** Builds the error of a refused request: `invalid_argument` with `reason`, `field` and `limit` in its detail. */
export function requestRefusal(
  reason: RequestRefusal,
  field: string,
  limit: string | number,
  message: string,
): TidemarkError {
  return limitError(field, message, limit, reason);
}

/** Builds the error of a body that does not have its content type, with the place of the wrong bytes. */
export function malformed(format: 'JSON' | 'protobuf', message: string): TidemarkError {
  return requestRefusal('body_malformed', 'body', `${format} of a metric payload`, message);
}

export function tooLarge(field: string, limit: number, message: string): TidemarkError {
  return requestRefusal('body_too_large', field, limit, message);
}
