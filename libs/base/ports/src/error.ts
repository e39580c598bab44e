/**
 * The closed set of error codes. They are gRPC's own names, so that each code is one gRPC status; over HTTP each is one
 * HTTP status.
 */
export const ERROR_CODES = [
  'invalid_argument',
  'out_of_range',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'already_exists',
  'failed_precondition',
  'resource_exhausted',
  'aborted',
  'cancelled',
  'deadline_exceeded',
  'unavailable',
  'data_loss',
  'unimplemented',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The subject of an error: the field and limit that bad input violated, the file or partition that failed. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean>>;

/**
 * The one error class. An operating error (bad input, a full disk, an unreachable peer) is one of these; a programmer's
 * error is an `AssertionError` and ends the process.
 */
export class TidemarkError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TidemarkError';
    this.code = code;
    this.detail = detail;
  }
}

/** True when `error` is a TidemarkError, of code `code` if one is given. */
export function isTidemarkError(error: unknown, code?: ErrorCode): error is TidemarkError {
  return error instanceof TidemarkError && (code === undefined || error.code === code);
}

/** True for an error of an append because the log or its disk is full, and not because too much waits for it already. */
export function isFullLog(error: unknown): error is TidemarkError & { readonly code: 'resource_exhausted' } {
  return isTidemarkError(error, 'resource_exhausted') && error.detail.busy !== true;
}

/** The message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  out_of_range: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 412,
  resource_exhausted: 429,
  aborted: 409,
  cancelled: 499,
  deadline_exceeded: 504,
  unavailable: 503,
  data_loss: 500,
  unimplemented: 501,
  internal: 500,
};

/** The error itself, or an `internal` one for an unexpected error. */
export function asTidemarkError(error: unknown): TidemarkError {
  return isTidemarkError(error) ? error : new TidemarkError('internal', messageOf(error), {}, { cause: error });
}

/** The HTTP status for an error code. */
export function httpStatusOf(code: ErrorCode): number {
  return HTTP_STATUS[code];
}

/** Throws when a programmer's assumption is wrong. Not for input or the environment. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks code that cannot be reached according to the types. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}

/** A programmer's error. It is not caught and not retried. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}
