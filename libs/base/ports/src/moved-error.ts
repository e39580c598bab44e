import { isTidemarkError, TidemarkError } from './error.ts';

/**
 * The error for a file or folder that does not have its path any more: an operator moved, deleted or replaced it while this
 * process uses it. Nothing that is written to it counts as durable, until it is back.
 */
export function movedError(message: string, path: string): TidemarkError {
  return new TidemarkError('unavailable', message, { path, moved: true });
}

/** True for a `movedError`, and for an error that passes on its detail `moved`. */
export function isMovedError(error: unknown): boolean {
  return isTidemarkError(error, 'unavailable') && error.detail.moved === true;
}
