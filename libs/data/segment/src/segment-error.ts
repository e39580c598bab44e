import { type ErrorDetail, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** The error for a segment that is damaged. `where` is what was read: its offset and length in the segment are in the detail. */
export function segmentLoss(what: string, where: ErrorDetail = {}): TidemarkError {
  const at = where.offset === undefined ? '' : ` (at byte ${where.offset} of the segment)`;
  return new TidemarkError('data_loss', `segment: ${what}${at}`, where);
}

/** Runs a decoder of a part of a segment. Its `data_loss` gets the offset of the part; other errors pass. */
export function decodedAt<T>(what: string, where: ErrorDetail, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (isTidemarkError(error, 'data_loss') && error.detail.offset === undefined) {
      throw segmentLoss(`${what}: ${error.message}`, where);
    }
    throw error;
  }
}
