import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';

/** What was read since the log last lost records of `control`. If one of those began an era, it belongs to that era. */
export class SinceLoss {
  /** True while the lost records may have begun an era that no record since has named. */
  mayLackEra = false;
  /** Highest append time since, ms. */
  throughMs = Number.NEGATIVE_INFINITY;
  /** Keys of the sessions that have registered since. */
  readonly sessions = new Set<string>();

  /**
   * Notes the first record after the lost ones. Append times that went back prove no decision, because they go back before
   * it, and also without one. But where they have not gone back there was none.
   */
  first(throughMs: number, appendTimeMs: number): void {
    if (throughMs - appendTimeMs > PROTOCOL_TIMES.witnessMs) this.mayLackEra = true;
  }

  /** Notes that a record was read. */
  read(appendTimeMs: number): void {
    this.throughMs = Math.max(this.throughMs, appendTimeMs);
  }
}
