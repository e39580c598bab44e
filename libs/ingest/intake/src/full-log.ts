import { TidemarkError } from '@tidemark/ports';

/** What of the log is full, with its limit. Senders of every tenant read it: it names no folder and no total. */
export function fullPart({ detail: { errno } }: TidemarkError): { readonly what: string; readonly limit: string } {
  if (typeof errno !== 'string') return { what: 'the log has used all of its bytes', limit: 'the bytes of the log' };
  return { what: `the disk of the log is full (${errno})`, limit: 'the free bytes of the disk of the log' };
}

/** The error of a full log for the sender of a request. */
export function fullLogError(cause: TidemarkError): TidemarkError {
  const { what, limit } = fullPart(cause);
  const message = `${what}, so nothing was stored (limit: ${limit}); retry, an operator must free space`;
  return new TidemarkError('unavailable', message, { reason: 'log_full', field: 'log' }, { cause });
}
