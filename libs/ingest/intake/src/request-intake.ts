import { PointSorter } from '@tidemark/columns';
import type { PartitionMap } from '@tidemark/model';
import { type Clock, type Random, TidemarkError } from '@tidemark/ports';
import { SpareParts } from './gathered-batch.ts';
import { IntakeRequest } from './intake-request.ts';
import type { IntakeSession } from './intake-session.ts';
import { KeyedBatch } from './keyed-batch.ts';
import { PendingBytes } from './pending-bytes.ts';
import type { RequestKey } from './request-key.ts';
import { DEFAULT_REQUEST_LIMITS, type RequestLimits } from './request-limits.ts';
import { TenantBatcher } from './tenant-batcher.ts';

export interface RequestIntakeOptions {
  /** The session that takes points now; it changes when one is fenced and another starts. */
  readonly session: () => IntakeSession | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<RequestLimits>;
}

const LOOK_MS = 60_000;

/**
 * The way in for protocols whose senders have no session: requests of a tenant, each answered when its points are
 * durable. Points of requests that come together go out together, as one batch.
 */
export class RequestIntake {
  readonly #options: RequestIntakeOptions;
  readonly #limits: RequestLimits;
  readonly #batchers = new Map<string, TenantBatcher>();
  readonly #sorter = new PointSorter();
  readonly #spares = new SpareParts();
  readonly #pending: PendingBytes;
  #lookedMs = 0;

  constructor(options: RequestIntakeOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REQUEST_LIMITS, ...options.limits };
    this.#pending = new PendingBytes(this.#limits);
  }

  /** Bytes of points that wait for an answer. */
  get pendingBytes(): number {
    return this.#pending.all;
  }

  /**
   * A request of an authenticated tenant; call when it was read. Throws `unavailable` while no session takes points,
   * `resource_exhausted` when the tenant has as many streams open as it may.
   */
  open(tenant: string): IntakeRequest {
    return new IntakeRequest(this.#batcherOf(tenant, this.#acceptingSession()), this.#limits, this.#pending);
  }

  /**
   * As `open`, for a request that may have come before under the same key: what of it is stored already will not be
   * stored again, whichever intake took it. Throws also `invalid_argument` for a key of a map that is not known or over,
   * or far behind others of its client session, and `resource_exhausted` for too many client sessions.
   */
  async openKeyed(tenant: string, key: RequestKey): Promise<IntakeRequest> {
    await this.#acceptingSession().maps.find(key.mapEpoch);
    // Only now: while `control` was read, another session may have begun.
    const session = this.#acceptingSession();
    const map = session.maps.ofKey(key.mapEpoch);
    const batcher = this.#batcherOf(tenant, session, map.epoch === session.maps.current.epoch ? undefined : map);
    batcher.keyed.admit(key);
    return new IntakeRequest(batcher, this.#limits, this.#pending, new KeyedBatch(batcher, key, this.#spares));
  }

  /** For keys: the epoch of the map that is in force; undefined while no session takes points. */
  get mapEpoch(): number | undefined {
    const session = this.#options.session();
    return session?.isAccepting === true ? session.maps.current.epoch : undefined;
  }

  /** Counts a request that is refused as a whole, if it was its sender's doing; no tenant before its key was accepted. */
  countError(tenant: string | undefined, error: unknown): void {
    this.#options.session()?.violations.countError(tenant, error);
  }

  #acceptingSession(): IntakeSession {
    const session = this.#options.session();
    if (session?.isAccepting === true) {
      this.#forgetIdle(session);
      return session;
    }
    const why = session?.problem ?? 'the intake is not ready';
    throw new TidemarkError('unavailable', why, { reason: 'intake_not_accepting', field: 'intake' });
  }

  /** With `map`, which is not the newest one, a batcher for it alone. */
  #batcherOf(tenant: string, session: IntakeSession, map?: PartitionMap): TenantBatcher {
    const { clock, random } = this.#options;
    const place = map === undefined ? tenant : `${tenant}\n${map.epoch}`;
    const known = this.#batchers.get(place);
    if (known?.isCurrent(session) === true) {
      known.usedMs = clock.monotonicMs();
      return known;
    }
    this.#batchers.delete(place);
    known?.leave();
    const own = { limits: this.#limits, sorter: this.#sorter, spares: this.#spares };
    const batcher = new TenantBatcher({ session, tenant, map, clock, random, ...own });
    this.#batchers.set(place, batcher);
    return batcher;
  }

  #forgetIdle(session: IntakeSession): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    for (const [place, batcher] of this.#batchers) {
      if (batcher.isCurrent(session) && nowMs - batcher.usedMs < this.#limits.idleMs) continue;
      this.#batchers.delete(place);
      batcher.leave();
    }
  }
}
