import type { Rejection } from '@tidemark/contract';
import { KIND, type KindName, type MetricChange } from '@tidemark/model';
import { assert, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { BatchFiller } from './batch-filler.ts';
import type { BatchTarget } from './batch-target.ts';
import type { PendingBytes } from './pending-bytes.ts';
import { Rejections } from './rejections.ts';
import type { RequestLimits } from './request-limits.ts';
import { type RequestResult, retryResult, settledResult } from './request-outcome.ts';
import { RequestPoints } from './request-points.ts';
import { REFUSED } from './series-handles.ts';
import type { TenantBatcher } from './tenant-batcher.ts';
import type { LeftOut } from './tenant-counts.ts';

/** A series as a protocol names it. */
export interface RequestSeries {
  readonly metric: string;
  /** No protocol of requests states that a series is a counter: an infinity of one would have to be refused. */
  readonly kind: Exclude<KindName, 'counter'>;
  /** Tags as `key:value`, in any order. */
  readonly tags: readonly string[];
  /** Reporting interval that the sender states, ms. */
  readonly intervalMs?: number;
}

/**
 * Points of one request. Add them, then call `send` once; before that they are only in this memory. Handles belong to
 * `scope`: they have the same meaning in every request of the same scope, and none in others.
 */
export class IntakeRequest {
  readonly #batcher: TenantBatcher;
  readonly #limits: RequestLimits;
  readonly #pending: PendingBytes;
  readonly #keyed: BatchTarget | undefined;
  readonly #points = new RequestPoints();
  readonly #rejections = new Rejections();
  readonly #leftOut = new Map<string, LeftOut>();
  #namedSeries = 0;
  #newSeries = 0;
  readonly #yieldTurn: (() => Promise<void>) | undefined;
  #isSent = false;

  /**
   * With `keyed`, the batch of the request's key, its points are not mixed with those of other requests. With `yieldTurn`,
   * other work has its turn while a large request is judged.
   */
  constructor(
    batcher: TenantBatcher,
    limits: RequestLimits,
    pending: PendingBytes,
    keyed?: BatchTarget,
    yieldTurn?: () => Promise<void>,
  ) {
    this.#yieldTurn = yieldTurn;
    this.#batcher = batcher;
    this.#keyed = keyed;
    this.#limits = limits;
    this.#pending = pending;
  }

  /** Scope of the handles. A protocol may attach its own data about handles to it (a `WeakMap`). */
  get scope(): object {
    return this.#batcher;
  }

  /** Max points. `send` refuses a request with more as a whole. */
  get maxPoints(): number {
    return this.#limits.requestPoints;
  }

  /**
   * Returns the handle of a series, also of a refused one, whose points are counted under the reason. Throws for a
   * request that would delay all others: `invalid_argument` when it names too many series, `unavailable` when too many
   * of them are new. The series named until then are known when the request is retried.
   */
  series({ metric, kind, tags, intervalMs }: RequestSeries): number {
    const { handles } = this.#batcher;
    const { namedSeries, newSeries } = this.#limits;
    if (this.#namedSeries >= namedSeries) {
      const message = `namedSeries: too many series in one request (limit: requests.namedSeries, ${namedSeries})`;
      const detail = { reason: 'request_too_large', field: 'namedSeries', limit: namedSeries };
      throw new TidemarkError('invalid_argument', message, detail);
    }
    if (this.#newSeries >= newSeries) {
      const message = `newSeries: too many new series in one request (limit: requests.newSeries, ${newSeries}); retry, the first ones are known now`;
      throw new TidemarkError('unavailable', message, { reason: 'series_new', field: 'newSeries', limit: newSeries });
    }
    this.#namedSeries++;
    const known = handles.size;
    const handle = this.#batcher.series(metric, KIND[kind], tags, intervalMs);
    if (handles.size > known) this.#newSeries++;
    return handle;
  }

  /** Notes what the protocol says of a metric, apart from its series. Too long texts are cut. */
  describe(metric: string, change: MetricChange): void {
    const { session, tenant } = this.#batcher;
    session.metrics.note(tenant, metric, change);
  }

  /** Returns true when the series was refused by its name. The caller should not store its handle. */
  isRefused(handle: number): boolean {
    return this.#batcher.handles.classes[handle] === REFUSED;
  }

  /** Adds a number. Fractions of a millisecond are cut off. */
  point(handle: number, timeMs: number, value: number): void {
    this.#points.addNumber(handle, timeMs, value);
  }

  /**
   * Adds `count` numbers as columns. The caller must not change the columns until `send` has returned its promise: they
   * are read by then.
   */
  columns(handles: Uint32Array, timesMs: Float64Array, values: Float64Array, count: number): void {
    this.#points.addNumbers({ refs: handles, timesMs, values, length: count });
  }

  /** Adds a packed sketch. The request owns the bytes from now on. */
  sketch(handle: number, timeMs: number, payload: Uint8Array): void {
    this.#points.addSketch(handle, timeMs, payload);
  }

  /** Counts points that the protocol itself refuses, under a reason of a closed set, with an example of them. */
  reject(reason: string, field: string, limit: string, points = 1, example?: string): void {
    this.#rejections.add(reason, field, limit, points, example);
  }

  /** Counts data that is valid but has no place in the platform, under a reason of a closed set, with an example. */
  leaveOut(reason: string, count: number, example = ''): void {
    const known = this.#leftOut.get(reason);
    this.#leftOut.set(reason, { count: (known?.count ?? 0) + count, example: known?.example || example });
  }

  /**
   * Sends the points. Resolves when they are durable, or known not to be. Errors of the log are results and not thrown.
   */
  async send(): Promise<RequestResult> {
    assert(!this.#isSent, 'a request is sent once');
    this.#isSent = true;
    const { count, sizeBytes } = this.#points;
    const { tenant } = this.#batcher;
    const [field, max] = this.#maxPoints;
    if (count > max) return this.#refuse(field, `${max} points`);
    const { shareBytes } = this.#batcher.session;
    // A request with a key is one batch, of which a partition has one share.
    if (this.#keyed !== undefined && sizeBytes > shareBytes)
      return this.#refuse('request', `${shareBytes} bytes of a share`);
    if (this.#pending.isTooLarge(sizeBytes)) {
      return this.#refuse('pendingBytesPerTenant', `${this.#limits.pendingBytesPerTenant} bytes`);
    }
    const full = this.#pending.reserve(tenant, sizeBytes);
    if (full !== undefined) return this.#retry(full);
    try {
      return await this.#accept();
    } finally {
      this.#pending.release(tenant, sizeBytes);
    }
  }

  /**
   * Max points of the request. A request with a key must be one batch: a partition stores a batch whole or not at all.
   */
  get #maxPoints(): [field: string, points: number] {
    const { requestPoints, batchPoints } = this.#limits;
    const isBatch = this.#keyed !== undefined && batchPoints < requestPoints;
    return isBatch ? ['batchPoints', batchPoints] : ['requestPoints', requestPoints];
  }

  async #accept(): Promise<RequestResult> {
    const { session } = this.#batcher;
    // There is no wait before the points are read, unless they are copied: the caller may reuse its columns after
    // `send`.
    if (this.#batcher.mustCheckBudget) {
      this.#points.own();
      const unknown = await this.#checkBudget();
      if (unknown !== undefined) return this.#retry(unknown);
    }
    if (!session.isAccepting) return this.#retry(session.refusal);
    // Without a key each retry would store again what other partitions had space for.
    const stall = this.#keyed === undefined ? session.stallRefusal : undefined;
    if (stall !== undefined) return this.#retry(stall);
    const pause = this.#points.isOneStep ? undefined : this.#yieldTurn;
    if (pause !== undefined) this.#points.own();
    const filler = new BatchFiller(this.#batcher, this.#keyed ?? this.#batcher, this.#limits, this.#rejections);
    const settled = Promise.withResolvers<ReadonlySet<number>>();
    const good = await filler.fill(this.#points, settled.resolve, pause);
    this.#points.clear();
    const notStored = await settled.promise;
    if (notStored.size > 0) {
      const [partition] = notStored;
      return this.#retry(session.refusalOf(partition));
    }
    return this.#settle(good);
  }

  /** Waits until the budgets of the request's series are known. Returns why they cannot be checked. */
  async #checkBudget(): Promise<Rejection | undefined> {
    while (this.#batcher.mustCheckBudget) {
      try {
        await this.#batcher.checkBudget();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        const limit = 'a budget that can be checked';
        const message = `series: ${error.message} (limit: ${limit})`;
        return { reason: 'budget_unknown', field: 'series', limit, points: 0, message };
      }
    }
    return undefined;
  }

  /** Refuses all points, of which there are too many. */
  #refuse(field: string, limit: string): RequestResult {
    this.#rejections.add('request_too_large', field, limit, this.#points.count);
    return this.#settle(0);
  }

  #retry(cause: Rejection): RequestResult {
    return retryResult(this.#rejections.list, cause);
  }

  #settle(acceptedPoints: number): RequestResult {
    const rejections = this.#rejections.list;
    const { session, tenant } = this.#batcher;
    session.counts.reject(tenant, rejections);
    session.counts.leaveOut(tenant, this.#leftOut);
    return settledResult(rejections, acceptedPoints);
  }
}
