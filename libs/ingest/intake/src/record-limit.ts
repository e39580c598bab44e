import { MIN_RECORD_BYTES, SPAN_BYTES } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';

/** Records of this size must be possible: one has a header and a few definitions. */
const MIN_LIMIT_BYTES = 1024;

/**
 * Max bytes of a record of `points`: as the settings say, or less if the log has refused less. All lanes of a session
 * have the same, so that a lane does not learn it again from the records that ended the one before it.
 */
export class RecordLimit {
  #bytes: number;

  constructor(bytes: number) {
    this.#bytes = Math.max(MIN_LIMIT_BYTES, bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Max bytes of the definitions and spans of a block. */
  get bodyBytes(): number {
    return this.#bytes - MIN_RECORD_BYTES;
  }

  /** Max bytes of a share of any tenant. A larger one can't be stored. */
  get shareBytes(): number {
    return this.bodyBytes - SPAN_BYTES;
  }

  /** The log refused a record of this size. Returns false when smaller ones are not possible. */
  refused(sizeBytes: number): boolean {
    if (sizeBytes <= MIN_LIMIT_BYTES) return false;
    this.#bytes = Math.max(MIN_LIMIT_BYTES, Math.min(this.#bytes, Math.floor(sizeBytes / 2)));
    return true;
  }

  /** The error for content that no record can have. */
  tooLarge(sizeBytes: number): TidemarkError {
    const message = `a share of ${sizeBytes} bytes fits no record (limit: ${this.bodyBytes} bytes); send smaller batches`;
    return new TidemarkError('invalid_argument', message, { field: 'share', limit: this.bodyBytes });
  }
}
