import type { Rejection } from '@tidemark/contract';
import type { ControlFollower } from '@tidemark/control-log';
import type { PartitionMap } from '@tidemark/model';
import { assert, type Clock, type Log, limitError, TidemarkError } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import { checkMapIsHeld } from './request-key.ts';

export interface MapsInForceOptions {
  readonly log: Pick<Log, 'bounds'>;
  readonly control: Pick<ControlFollower, 'state' | 'reached'>;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  /** Resolves when `control` was read up to a record that this session appended after the call. */
  readonly reachedNow: () => Promise<void>;
  /** Called with a map once batches by it are accepted. */
  readonly onInForce: (map: PartitionMap) => void;
  /** Ends the wait for maps. */
  readonly signal: AbortSignal;
}

/** Interval of checks for a map that comes into force later. */
const ANNOUNCE_CHECK_MS = 60_000;

/** Partition maps by which a session accepts batches, each from when it is in force by the session's clock. */
export class MapsInForce {
  readonly #options: MapsInForceOptions;
  /** Epoch of the newest decided map. */
  #newest: number | undefined;

  constructor(options: MapsInForceOptions) {
    this.#options = options;
    this.#newest = options.control.state.map?.epoch;
  }

  /** The newest map in force. Throws `unavailable` before the first one is decided. */
  get current(): PartitionMap {
    const { control, acceptClock } = this.#options;
    const map = control.state.mapAt(acceptClock.nowMs());
    if (map === undefined)
      throw new TidemarkError(
        'unavailable',
        'no partition map was decided yet; retry, and check that a coordinator runs',
      );
    return map;
  }

  /** Number of partitions of the newest map, in force or not: lanes must accept shares as soon as it is. */
  get partitions(): number {
    return this.#options.control.state.map?.partitions ?? 0;
  }

  /**
   * Returns the map of an epoch. Throws `invalid_argument` when `control`, read to its end, does not have it, `unavailable`
   * while its end can't be known: a deposed leader shows an earlier one, and other intakes may have announced a map after it.
   */
  async find(epoch: number): Promise<PartitionMap> {
    const { control, reachedNow } = this.#options;
    const known = control.state.maps.get(epoch) ?? (await this.decided()).get(epoch);
    if (known !== undefined) return known;
    await reachedNow();
    const map = control.state.maps.get(epoch);
    if (map !== undefined) return map;
    throw limitError('map_epoch', `${epoch} is not known`, this.current.epoch, 'map_epoch_unknown');
  }

  /** Returns all maps that were decided until now, in force or not, by epoch, the oldest first. */
  async decided(): Promise<ReadonlyMap<number, PartitionMap>> {
    const { control, log } = this.#options;
    const { next } = await log.bounds('control', 0);
    if (next > 0) await control.reached(next - 1);
    return control.state.maps;
  }

  /**
   * Returns why no batch by the map of an epoch is accepted at `acceptMs`, or undefined. Readers of `control` rely on
   * it: they need not know a map before it is in force (docs/decisions/0006).
   */
  refusal(epoch: number, acceptMs: number): Rejection | undefined {
    const waitMs = this.#options.control.state.inForceMs(epoch) - acceptMs;
    if (waitMs <= 0) return undefined;
    const limit = 'a map in force';
    const message = `map epoch ${epoch} comes into force in ${waitMs} ms (limit: ${limit})`;
    return { reason: 'map_not_in_force', field: 'map_epoch', limit, points: 0, message };
  }

  /**
   * Returns the map of a request's key, which `find` has found. Throws `invalid_argument` when newer maps replaced it
   * too long ago, `unavailable` before it is in force.
   */
  ofKey(epoch: number): PartitionMap {
    const { control, acceptClock } = this.#options;
    const map = control.state.maps.get(epoch);
    assert(map !== undefined, 'find must come before ofKey');
    const nowMs = acceptClock.nowMs();
    checkMapIsHeld(control.state, epoch, nowMs);
    const notInForce = this.refusal(epoch, nowMs);
    if (notInForce === undefined) return map;
    const { reason, field, message } = notInForce;
    throw new TidemarkError('unavailable', message, { reason, field });
  }

  /**
   * Checks for a newly decided map after a message of `control`. Returns true for one, which is announced once in
   * force.
   */
  notice(): boolean {
    const { map } = this.#options.control.state;
    if (map === undefined || map.epoch === this.#newest) return false;
    this.#newest = map.epoch;
    this.#announce(map);
    return true;
  }

  #announce(map: PartitionMap): void {
    const { control, clock, acceptClock, onInForce, signal } = this.#options;
    const waitMs = control.state.inForceMs(map.epoch) - acceptClock.nowMs();
    if (waitMs <= 0) {
      onInForce(map);
      return;
    }
    clock.setTimer(Math.min(waitMs, ANNOUNCE_CHECK_MS), () => {
      // A newer map has its own timer.
      if (!signal.aborted && map.epoch === this.#newest) this.#announce(map);
    });
  }
}
