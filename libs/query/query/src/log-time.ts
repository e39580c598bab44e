import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';

/** An era of the log's time, which began when its clock, which had been ahead, was set back. */
export interface KnownEra {
  /** Offset in `control` of its decision. */
  readonly offset: number;
  /** Time at which it began, and how far the clock had been ahead, ms. */
  readonly startMs: number;
  readonly aheadMs: number;
}

/** The eras that a process knows, as of one moment. */
export interface KnownEras {
  /** The oldest first. */
  readonly list: readonly KnownEra[];
  /** Time, ms, beyond which a watermark of an era says nothing; undefined for an era that is not known here. */
  boundMs(era: number): number | undefined;
}

/**
 * What a watermark is worth as of one moment. One of an era that ended says nothing about later times, and one that is
 * far ahead of this process's clock is wrong, although no decision says so yet.
 */
export class LogTime {
  readonly #eras: KnownEras | undefined;
  readonly #nowMs: number;
  readonly #clockMs: () => number;

  /** `nowMs` is the moment; `clockMs` reads the same clock, since a store may answer long after it. */
  constructor(eras: KnownEras | undefined, nowMs: number, clockMs: () => number = () => nowMs) {
    this.#eras = eras;
    this.#nowMs = nowMs;
    this.#clockMs = clockMs;
  }

  /**
   * Returns the watermark as far as it can be trusted, and no later than now: what is not over can't be complete. It is
   * undefined when it can't be trusted, with a `problem` that says why.
   */
  trusted(watermarkMs: number | undefined, era: number): { readonly watermarkMs?: number; readonly problem?: string } {
    if (watermarkMs === undefined) return {};
    const boundMs = this.#eras === undefined ? Number.POSITIVE_INFINITY : this.#eras.boundMs(era);
    if (boundMs === undefined) {
      return { problem: 'the log took its time back, and this process has not read the decision yet' };
    }
    const trustedMs = Math.min(watermarkMs, boundMs);
    const aheadMs = trustedMs - Math.max(this.#nowMs, this.#clockMs());
    if (aheadMs <= PROTOCOL_TIMES.setBackMs) return { watermarkMs: Math.min(trustedMs, this.#nowMs) };
    const seconds = Math.round(aheadMs / 1000);
    return { problem: `completeness is unknown: the watermark is ${seconds} s ahead of this process's clock` };
  }
}
