import type { ControlState } from '@tidemark/control-log';
import { FIRST_ERA } from '@tidemark/model';
import type { Clock } from '@tidemark/ports';

/** Time between two repetitions, by monotonic time. A reader that has lost the decision waits for the next one. */
const REPEAT_MS = 10_000;

/**
 * When the coordinator repeats the decision that began the current era, for readers to which its record is lost: at once,
 * then at intervals, until a checkpoint has it.
 */
export class EraRepeats {
  readonly #state: ControlState;
  readonly #clock: Clock;
  #era = FIRST_ERA;
  #repeatedMs = Number.NEGATIVE_INFINITY;

  constructor(state: ControlState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Returns true when the decision must be repeated now. Call it every turn. */
  isDue(): boolean {
    const { eras, checkpointOffset } = this.#state;
    if (eras.current === FIRST_ERA || checkpointOffset > eras.current) return false;
    const nowMs = this.#clock.monotonicMs();
    return eras.current !== this.#era || nowMs - this.#repeatedMs >= REPEAT_MS;
  }

  /** Notes that the decision was repeated. */
  done(): void {
    this.#era = this.#state.eras.current;
    this.#repeatedMs = this.#clock.monotonicMs();
  }
}
