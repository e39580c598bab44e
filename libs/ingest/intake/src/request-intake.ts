import { IdHash, SIP_KEY_BYTES } from '@tidemark/bytes';
import { PointSorter } from '@tidemark/columns';
import { type MetricChange, type PartitionMap, SERIES_CLASS, seriesName } from '@tidemark/model';
import { type Clock, type Random, TidemarkError } from '@tidemark/ports';
import { ArrivedRequests } from './arrived-requests.ts';
import { SpareParts } from './gathered-batch.ts';
import { IntakeRequest } from './intake-request.ts';
import type { IntakeSession } from './intake-session.ts';
import { KeyedBatch } from './keyed-batch.ts';
import { PendingBytes } from './pending-bytes.ts';
import type { RequestKey } from './request-key.ts';
import { DEFAULT_REQUEST_LIMITS, type RequestLimits } from './request-limits.ts';
import { checkChange } from './statement-limits.ts';
import { TenantBatcher } from './tenant-batcher.ts';

export interface RequestIntakeOptions {
  /** Returns the session that accepts points now. It changes when one is fenced and another starts. */
  readonly session: () => IntakeSession | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Resolves after all other waiting work of this thread had its turn. Without it a request is taken at once. */
  readonly yieldTurn?: () => Promise<void>;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<RequestLimits>;
}

const IDLE_CHECK_MS = 60_000;

/**
 * API for protocols whose senders have no session: requests of a tenant, each answered when its points are durable.
 * A request goes to the log at once when nothing of its tenant is under way; what comes meanwhile goes together, as one batch.
 */
export class RequestIntake {
  readonly #options: RequestIntakeOptions;
  readonly #limits: RequestLimits;
  readonly #batchers = new Map<string, TenantBatcher>();
  readonly #sorter = new PointSorter();
  readonly #spares = new SpareParts();
  readonly #arrived = new ArrivedRequests();
  readonly #idHash: IdHash;
  readonly #pending: PendingBytes;
  #idleCheckedMs = 0;

  constructor(options: RequestIntakeOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REQUEST_LIMITS, ...options.limits };
    this.#pending = new PendingBytes(this.#limits);
    this.#idHash = new IdHash(options.random.bytes(SIP_KEY_BYTES));
  }

  /** Bytes of points without an answer. */
  get pendingBytes(): number {
    return this.#pending.all;
  }

  /**
   * Runs the work that decodes a request whose body has arrived, until it has called `send` of the request. Points of the
   * tenant's other requests, which would be sent meanwhile, are sent together with those of this one.
   */
  async receive<T>(tenant: string, decode: () => Promise<T>): Promise<T> {
    const left = this.#arrived.arrive(tenant);
    try {
      return await decode();
    } finally {
      left();
    }
  }

  /**
   * Opens a request of an authenticated tenant, after it was read. Throws `unavailable` while no session accepts
   * points, `resource_exhausted` when the tenant has its max number of open streams.
   */
  open(tenant: string): IntakeRequest {
    return this.#request(this.#batcherOf(tenant, this.#acceptingSession()));
  }

  /**
   * Opens a request, as `open`, that may be a retry under the same key: data that is stored already will not be stored
   * again, at any intake. Also throws `invalid_argument` for a key of an unknown or expired map, or far behind other
   * keys of its client session, and `resource_exhausted` for too many client sessions.
   */
  async openKeyed(tenant: string, key: RequestKey): Promise<IntakeRequest> {
    await this.#acceptingSession().maps.find(key.mapEpoch);
    // The session is read only now: while `control` was read, another one may have begun.
    const session = this.#acceptingSession();
    const map = session.maps.ofKey(key.mapEpoch);
    const batcher = this.#batcherOf(tenant, session, map.epoch === session.maps.current.epoch ? undefined : map);
    batcher.keyed.admit(key);
    return this.#request(batcher, new KeyedBatch(batcher, key, this.#spares));
  }

  #request(batcher: TenantBatcher, keyed?: KeyedBatch): IntakeRequest {
    return new IntakeRequest(batcher, this.#limits, this.#pending, keyed, this.#options.yieldTurn);
  }

  /**
   * Publishes what a user states of a metric. Resolves once it is durable. Throws `invalid_argument` for a name or a field
   * beyond its limit, `resource_exhausted` for a metric without series here while the tenant is over its budget of series, in
   * which such a metric counts as one series, `unavailable` while the log does not accept it.
   */
  async state(tenant: string, metric: string, change: MetricChange): Promise<void> {
    const session = this.#acceptingSession();
    seriesName(tenant, metric, SERIES_CLASS.reading, [], session.limits);
    checkChange(change);
    if (!session.metrics.hasSeries(tenant, metric)) session.budgets.checkMetric(tenant, metric);
    await session.metrics.state(tenant, metric, change);
  }

  /** Epoch for new keys: that of the map in force; undefined while no session accepts points. */
  get mapEpoch(): number | undefined {
    const session = this.#options.session();
    return session?.isAccepting === true ? session.maps.current.epoch : undefined;
  }

  /**
   * Counts a request that is refused as a whole for an error of its sender. `tenant` is undefined before its key was
   * accepted.
   */
  countError(tenant: string | undefined, error: unknown): void {
    this.#options.session()?.violations.countError(tenant, error);
  }

  #acceptingSession(): IntakeSession {
    const session = this.#options.session();
    if (session?.isAccepting === true) {
      this.#forgetIdle(session);
      return session;
    }
    const why = session?.problem ?? 'the intake has no open session yet; retry';
    throw new TidemarkError('unavailable', why, { reason: 'intake_not_accepting', field: 'intake' });
  }

  /** Returns the tenant's batcher; with `map`, which is not the newest one, a batcher for that map alone. */
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
    const own = { limits: this.#limits, sorter: this.#sorter, spares: this.#spares, idHash: this.#idHash };
    const batcher = new TenantBatcher({ session, tenant, map, clock, random, arrived: this.#arrived, ...own });
    this.#batchers.set(place, batcher);
    return batcher;
  }

  #forgetIdle(session: IntakeSession): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#idleCheckedMs < IDLE_CHECK_MS) return;
    this.#idleCheckedMs = nowMs;
    for (const [place, batcher] of this.#batchers) {
      if (batcher.isCurrent(session) && nowMs - batcher.usedMs < this.#limits.idleMs) continue;
      this.#batchers.delete(place);
      batcher.leave();
    }
  }
}
