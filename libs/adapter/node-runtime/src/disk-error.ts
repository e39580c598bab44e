import { type ErrorCode, TidemarkError } from '@tidemark/ports';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'resource_exhausted',
  EDQUOT: 'resource_exhausted',
  EFBIG: 'resource_exhausted',
  ENOENT: 'not_found',
  EEXIST: 'already_exists',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
};

/**
 * The TidemarkError for an error of the file system in the operation `what` on `path`; unknown errors are
 * `unavailable`.
 */
export function diskError(error: unknown, what: string, path: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const errno = errnoOf(error);
  const reason = String(error).replace(/^Error: /, '');
  return new TidemarkError(
    CODES[errno] ?? 'unavailable',
    `cannot ${what} ${path}: ${reason}`,
    { path, errno },
    {
      cause: error,
    },
  );
}

/** The system's name of an error, such as `ENOSPC`, or an empty string. */
export function errnoOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
