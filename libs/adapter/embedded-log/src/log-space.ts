import { TidemarkError, type Topic } from '@tidemark/ports';
import type { EmbeddedLogLimits } from './embedded-log-limits.ts';

/** Largest share of the log that is kept for `control`. */
const CONTROL_SHARE = 1 / 8;

/** The bytes of all segments of a log, and those set aside for records on their way, against the log's bound. */
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

  /** Sets `bytes` aside, or throws `resource_exhausted`. */
  reserve(topic: Topic, bytes: number): void {
    const { maxBytes, controlReserveBytes } = this.#limits;
    const keptBytes = Math.min(controlReserveBytes, maxBytes * CONTROL_SHARE);
    const bound = topic === 'control' ? maxBytes : maxBytes - keptBytes;
    const used = this.#storedBytes + this.#reservedBytes;
    if (used + bytes > bound) {
      throw new TidemarkError(
        'resource_exhausted',
        `the log is full: ${used} of maxBytes ${maxBytes} bytes are used, ${bytes} more are wanted for ${topic}`,
        { limit: maxBytes, used, topic },
      );
    }
    this.#reservedBytes += bytes;
  }

  unreserve(bytes: number): void {
    this.#reservedBytes -= bytes;
  }

  /** Counts bytes of segments that came (positive) or went (negative). */
  store(bytes: number): void {
    this.#storedBytes += bytes;
  }
}
