import type { Rejection } from '@tidemark/contract';
import { KIND, type KindName } from '@tidemark/model';
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

/** A series as a protocol names it. */
export interface RequestSeries {
  readonly metric: string;
  readonly kind: KindName;
  /** `key:value` each, in any order. */
  readonly tags: readonly string[];
}

/**
 * The points of one request. Add them, then `send` once; all that is added before lies in this memory only. Handles
 * belong to `scope`: they mean the same in every request that has the same one, and nothing in others.
 */
export class IntakeRequest {
  readonly #batcher: TenantBatcher;
  readonly #limits: RequestLimits;
  readonly #pending: PendingBytes;
  readonly #keyed: BatchTarget | undefined;
  readonly #points = new RequestPoints();
  readonly #rejections = new Rejections();
  readonly #leftOut = new Map<string, number>();
  #namedSeries = 0;
  #newSeries = 0;
  #isSent = false;

  /** With `keyed`, the batch of the request's key, its points stay apart from those of others. */
  constructor(batcher: TenantBatcher, limits: RequestLimits, pending: PendingBytes, keyed?: BatchTarget) {
    this.#batcher = batcher;
    this.#keyed = keyed;
    this.#limits = limits;
    this.#pending = pending;
  }

  /** What its handles belong to; a protocol may hang on it what it remembers of them (a `WeakMap`). */
  get scope(): object {
    return this.#batcher;
  }

  /** With more than these it is refused as a whole by `send`. */
  get mostPoints(): number {
    return this.#limits.requestPoints;
  }

  /**
   * The handle of a series, of a refused one too: its points are counted under the reason. Throws for a request that
   * would keep all others waiting: `invalid_argument` when it names too many series, and `unavailable` when too many of
   * them are new. What it brought until then is known when it comes again.
   */
  series({ metric, kind, tags }: RequestSeries): number {
    const { handles } = this.#batcher;
    const { namedSeries, newSeries } = this.#limits;
    if (this.#namedSeries >= namedSeries) {
      const message = `namedSeries: too many series in one request (limit: ${namedSeries} series)`;
      const detail = { reason: 'request_too_large', field: 'namedSeries', limit: namedSeries };
      throw new TidemarkError('invalid_argument', message, detail);
    }
    if (this.#newSeries >= newSeries) {
      const message = `newSeries: too many new series in one request, the first are known now (limit: ${newSeries} series)`;
      throw new TidemarkError('unavailable', message, { reason: 'series_new', field: 'newSeries', limit: newSeries });
    }
    this.#namedSeries++;
    const known = handles.size;
    const handle = this.#batcher.series(metric, KIND[kind], tags);
    if (handles.size > known) this.#newSeries++;
    return handle;
  }

  /** True when the series was refused as it is named: to remember its handle would be a waste. */
  isRefused(handle: number): boolean {
    return this.#batcher.handles.kinds[handle] === REFUSED;
  }

  /** Adds a number; fractions of a millisecond are cut off. */
  point(handle: number, timeMs: number, value: number): void {
    this.#points.addNumber(handle, timeMs, value);
  }

  /**
   * Adds `count` numbers that are columns already. The columns are lent until `send` returns its promise: it has read
   * them by then.
   */
  columns(handles: Uint32Array, timesMs: Float64Array, values: Float64Array, count: number): void {
    this.#points.addNumbers({ refs: handles, timesMs, values, length: count });
  }

  /** Adds a packed sketch; the bytes belong to the request from now on. */
  sketch(handle: number, timeMs: number, payload: Uint8Array): void {
    this.#points.addSketch(handle, timeMs, payload);
  }

  /** Counts points that the protocol itself refuses, under a reason of a closed set. */
  reject(reason: string, field: string, limit: string, points = 1): void {
    this.#rejections.add(reason, field, limit, points);
  }

  /** Counts what has no place here and is no error, under a reason of a closed set. */
  leaveOut(reason: string, count: number): void {
    this.#leftOut.set(reason, (this.#leftOut.get(reason) ?? 0) + count);
  }

  /**
   * Hands the points over; resolves when they are durable, or known not to be. The log's errors are results, never
   * thrown.
   */
  async send(): Promise<RequestResult> {
    assert(!this.#isSent, 'a request is sent once');
    this.#isSent = true;
    const { count, sizeBytes } = this.#points;
    const { tenant } = this.#batcher;
    const [field, max] = this.#maxPoints;
    if (count > max) return this.#refuse(field, `${max} points`);
    if (this.#pending.isTooLarge(sizeBytes)) {
      return this.#refuse('pendingBytesPerTenant', `${this.#limits.pendingBytesPerTenant} bytes`);
    }
    const full = this.#pending.reserve(tenant, sizeBytes);
    if (full !== undefined) return this.#retry(full);
    try {
      return await this.#take();
    } finally {
      this.#pending.release(tenant, sizeBytes);
    }
  }

  /** A request with a key must be one batch: a partition has a batch whole or not at all. */
  get #maxPoints(): [field: string, points: number] {
    const { requestPoints, batchPoints } = this.#limits;
    const isBatch = this.#keyed !== undefined && batchPoints < requestPoints;
    return isBatch ? ['batchPoints', batchPoints] : ['requestPoints', requestPoints];
  }

  async #take(): Promise<RequestResult> {
    const { session } = this.#batcher;
    // No wait before the points are read, unless they are copied: lent columns go back when `send` returns.
    if (this.#batcher.mustCheckBudget) {
      this.#points.own();
      const unknown = await this.#checkBudget();
      if (unknown !== undefined) return this.#retry(unknown);
    }
    if (!session.isAccepting) return this.#retry(session.refusal);
    const filler = new BatchFiller(this.#batcher, this.#keyed ?? this.#batcher, this.#limits, this.#rejections);
    const settled = Promise.withResolvers<ReadonlySet<number>>();
    const good = filler.fill(this.#points, settled.resolve);
    this.#points.clear();
    const notStored = await settled.promise;
    if (notStored.size > 0) {
      const [partition] = notStored;
      return this.#retry(session.refusalOf(partition));
    }
    return this.#settle(good);
  }

  /** Waits until the budgets of the request's series are known; returns why they can't be. */
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

  /** Refuses all points: there are too many of them. */
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
