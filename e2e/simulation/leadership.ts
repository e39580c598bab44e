import { type Clock, type Random, TidemarkError } from '@tidemark/ports';
import type { FaultPlan } from '@tidemark/simulation';

const AWAY_MS = 12_000;
const STALE_MS = 10_000;

/** A node that still asks a deposed leader: it sees the partition as it was then. */
interface StaleView {
  readonly next: number;
  readonly untilMs: number;
}

/**
 * What goes wrong with a partition of a replicated log while its broker is up: `log.leader-change` (for up to 12 s it has
 * no leader; of appends under way the outcome is unknown), `log.stale-leader` (a node keeps asking the deposed one: reads
 * and bounds lag behind what others see, and appends fail).
 */
export class Leadership {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #faults: FaultPlan;
  readonly #awayUntilMs = new Map<string, number>();
  readonly #stale = new Map<string, StaleView>();

  constructor(clock: Clock, random: Random, faults: FaultPlan) {
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  /** Throws `unavailable` while the partition has no leader. */
  check(place: string): void {
    if (this.#faults.fires('log.leader-change')) {
      this.#awayUntilMs.set(place, this.#clock.monotonicMs() + 200 + this.#random.next() ** 2 * AWAY_MS);
    }
    if (this.#clock.monotonicMs() < (this.#awayUntilMs.get(place) ?? 0)) {
      throw new TidemarkError('unavailable', `${place} has no leader`);
    }
  }

  /** Where the partition ends for `node`: not beyond `next`, and before it while it asks a deposed leader. */
  endFor(node: string, place: string, next: number): number {
    const key = `${node} ${place}`;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#stale.get(key);
    if (known !== undefined && nowMs < known.untilMs) return Math.min(known.next, next);
    this.#stale.delete(key);
    if (!this.#faults.fires('log.stale-leader')) return next;
    this.#stale.set(key, { next, untilMs: nowMs + this.#random.next() ** 2 * STALE_MS });
    return next;
  }

  /** Throws `unavailable` while `node` asks a deposed leader, which has no follower to copy records to. */
  checkAppend(node: string, place: string): void {
    const view = this.#stale.get(`${node} ${place}`);
    if (view !== undefined && this.#clock.monotonicMs() < view.untilMs) {
      throw new TidemarkError('unavailable', `the leader of ${place} that ${node} knows is deposed`);
    }
  }
}
