import { TidemarkError, type Topic } from '@tidemark/ports';
import type { EmbeddedLogLimits } from './embedded-log-limits.ts';

/** Largest share of the log that is kept for `control`. */
const CONTROL_SHARE = 1 / 8;

/**
 * Accounts for the bytes of all segments of a log and the reservations of records in flight, within the log's bound.
 */
export class LogSpace {
  readonly #limits: EmbeddedLogLimits;
  #storedBytes = 0;
  #reservedBytes = 0;

  constructor(limits: EmbeddedLogLimits) {
    this.#limits = limits;
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Reserves `bytes`, or throws `resource_exhausted`. */
  reserve(topic: Topic, bytes: number): void {
    const { maxBytes, controlReserveBytes } = this.#limits;
    const keptBytes = Math.min(controlReserveBytes, maxBytes * CONTROL_SHARE);
    const bound = topic === 'control' ? maxBytes : maxBytes - keptBytes;
    const used = this.#storedBytes + this.#reservedBytes;
    if (used + bytes > bound) {
      throw new TidemarkError(
        'resource_exhausted',
        `the log is full: ${used} of maxBytes ${maxBytes} bytes are used, and a record of ${topic} needs ${bytes} more ` +
          `(limit: ${bound}); find the store that does not commit (\`tidemark doctor\`), or raise log.maxBytes`,
        { limit: maxBytes, used, topic },
      );
    }
    this.#reservedBytes += bytes;
  }

  unreserve(bytes: number): void {
    this.#reservedBytes -= bytes;
  }

  /** Adds bytes of segments that were written (positive) or deleted (negative). */
  store(bytes: number): void {
    this.#storedBytes += bytes;
  }
}
