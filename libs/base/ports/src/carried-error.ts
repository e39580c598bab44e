import { type ErrorCode, type ErrorDetail, TidemarkError } from './error.ts';

/** An error in a form that a message between threads can carry. */
export interface CarriedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

export function carriedError({ code, message, detail }: TidemarkError): CarriedError {
  return { code, message, detail };
}

export function restoredError({ code, message, detail }: CarriedError): TidemarkError {
  return new TidemarkError(code, message, detail);
}
