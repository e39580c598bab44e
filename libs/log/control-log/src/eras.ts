import type { SetBackDecision } from '@tidemark/contract';
import { FIRST_ERA } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';

/** Max eras of a list. Beyond it the oldest two become one, with the earlier start. */
const MAX_ERAS = 64;

/** An era: the time of the log since its clock, which had been ahead, was set back. */
export interface Era {
  /** Offset of its decision in `control`. */
  readonly offset: number;
  /** Time at which it continues, ms. */
  readonly startMs: number;
  /** How far time was ahead of the start before, ms. */
  readonly aheadMs: number;
}

/** The eras of the log. Immutable. */
export class Eras {
  /** The oldest first. */
  readonly list: readonly Era[];

  constructor(list: readonly Era[] = []) {
    this.list = list;
  }

  /** Offset of the decision that began the current era; `FIRST_ERA` before any. */
  get current(): number {
    return this.list.at(-1)?.offset ?? FIRST_ERA;
  }

  /** Time at which the current era began; -Infinity for the first. */
  get startMs(): number {
    return this.list.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns these eras and another one. */
  with(era: Era): Eras {
    const list = [...this.list, era];
    if (list.length > MAX_ERAS) {
      const [first, second] = list;
      // Earlier watermarks are worth no more than the earlier of both starts.
      list.splice(0, 2, { ...second, startMs: Math.min(first.startMs, second.startMs) });
    }
    return new Eras(list);
  }

  /**
   * Returns the time, ms, beyond which a watermark of `era` says nothing: the earliest start of a later era. It is
   * Infinity for the current era; undefined for an era that is unknown here, because `control` was not read so far.
   */
  boundMs(era: number): number | undefined {
    if (era > this.current) return undefined;
    return this.list.reduce((min, { offset, startMs }) => (offset > era ? Math.min(min, startMs) : min), Infinity);
  }
}

/**
 * Returns true when a decision to set time back counts: the newest time of the log was further ahead of the decision's
 * own append time than `setBackMs`, and the clocks of the log and of the coordinator agree. A time that is ahead by less
 * is waited for, except after lost records that may have begun an era. Only the record itself is judged, neither its term
 * nor what was read before it: a reader that has lost other records must come to the same result.
 */
export function isSetBack({ throughMs, decidedMs, afterLoss }: SetBackDecision, appendTimeMs: number): boolean {
  const { setBackMs, witnessMs } = PROTOCOL_TIMES;
  return (afterLoss || throughMs - appendTimeMs > setBackMs) && Math.abs(appendTimeMs - decidedMs) <= witnessMs;
}
