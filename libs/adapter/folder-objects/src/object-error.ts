import { TidemarkError } from '@tidemark/ports';

export function absent(key: string): TidemarkError {
  return new TidemarkError('not_found', `object ${key} does not exist`, { key });
}

export function present(key: string): TidemarkError {
  return new TidemarkError('already_exists', `object ${key} exists; read it before replacing it`, { key });
}

export function otherVersion(key: string, wanted: string, found: string | undefined): TidemarkError {
  const shown = found === undefined ? 'does not exist' : `has version ${found}`;
  return new TidemarkError('failed_precondition', `object ${key} ${shown} (expected: ${wanted}); read it again`, {
    key,
  });
}

/** Adds the operation and the key to an error of the disk. Other errors, and those of objects, are returned as they are. */
export function objectError(error: unknown, what: string, key: string): unknown {
  if (!(error instanceof TidemarkError) || 'key' in error.detail || error.code === 'invalid_argument') return error;
  const message = `cannot ${what} object ${key}: ${error.message}`;
  return new TidemarkError(error.code, message, { ...error.detail, key }, { cause: error });
}
