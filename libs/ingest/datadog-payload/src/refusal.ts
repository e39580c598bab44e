import { limitError, type TidemarkError } from '@tidemark/ports';

/** Why a whole request is refused; the others of its errors are those of the platform. */
export type RequestRefusal = 'body_too_large' | 'body_malformed' | 'content_type' | 'content_encoding';

/** A request that can't be taken: `invalid_argument` with `reason`, `field` and `limit` in its detail. */
export function requestRefusal(
  reason: RequestRefusal,
  field: string,
  limit: string | number,
  message: string,
): TidemarkError {
  return limitError(field, message, limit, reason);
}

/** A body that is not what its content type says, with the place where that shows. */
export function malformed(format: 'JSON' | 'protobuf', message: string): TidemarkError {
  return requestRefusal('body_malformed', 'body', `${format} of a metric payload`, message);
}

export function tooLarge(field: string, limit: number, message: string): TidemarkError {
  return requestRefusal('body_too_large', field, limit, message);
}
