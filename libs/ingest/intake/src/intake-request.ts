import { PointColumns, SketchColumns } from '@tidemark/columns';
import type { Rejection } from '@tidemark/contract';
import { KIND, type KindName } from '@tidemark/model';
import { assert, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { KeyedBatch } from './keyed-batch.ts';
import { isPlainNumber, PointRules } from './point-rules.ts';
import { Rejections } from './rejections.ts';
import { POINT_BYTES, type RequestLimits, SKETCH_BYTES } from './request-limits.ts';
import type { RequestScope } from './request-scope.ts';
import { REFUSED } from './series-handles.ts';

/** A series as a protocol names it. */
export interface RequestSeries {
  readonly metric: string;
  readonly kind: KindName;
  /** `key:value` each, in any order. */
  readonly tags: readonly string[];
}

export interface RequestResult {
  /**
   * `acked`: every point that was not refused is durable. `retry`: nobody knows, or nothing was taken; the request is
   * to come again. `refused`: it can never be taken, as every point was refused or there are too many.
   */
  readonly outcome: 'acked' | 'retry' | 'refused';
  readonly acceptedPoints: number;
  /** What was left out, by reason; of a `retry` why, in the last. */
  readonly rejections: readonly Rejection[];
  /** When to come again, 0 but for `retry`. */
  readonly retryAfterMs: number;
}

/** Bytes of the requests that wait for an answer, of one tenant and of all. */
export interface PendingBytes {
  all: number;
  readonly byTenant: Map<string, number>;
}

const RETRY_AFTER_MS = 1000;

/**
 * The points of one request. Add them, then `send` once; all that is added before lies in this memory only. Handles
 * belong to `scope`: they mean the same in every request that has the same one, and nothing in others.
 */
export class IntakeRequest {
  readonly #scope: RequestScope;
  readonly #limits: RequestLimits;
  readonly #pending: PendingBytes;
  /** Where points go: with those of others, or alone under the request's key. */
  readonly #target: RequestScope | KeyedBatch;
  readonly #keyed: KeyedBatch | undefined;
  readonly #rejections = new Rejections();
  /** Numbers; their refs are handles. */
  #points: Numbers = NO_NUMBERS;
  #own: PointColumns | undefined;
  readonly #sketches = new SketchColumns(0);
  readonly #leftOut = new Map<string, number>();
  #payloadBytes = 0;
  #namedSeries = 0;
  #newSeries = 0;
  #accepted = 0;
  #isSent = false;

  constructor(scope: RequestScope, limits: RequestLimits, pending: PendingBytes, keyed?: KeyedBatch) {
    this.#scope = scope;
    this.#target = keyed ?? scope;
    this.#keyed = keyed;
    this.#limits = limits;
    this.#pending = pending;
  }

  /** What its handles belong to; a protocol may hang on it what it remembers of them (a `WeakMap`). */
  get scope(): object {
    return this.#scope;
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
    const { handles } = this.#scope;
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
    const handle = this.#scope.series(metric, KIND[kind], tags);
    if (handles.size > known) this.#newSeries++;
    return handle;
  }

  /** True when the series was refused as it is named: to remember its handle would be a waste. */
  isRefused(handle: number): boolean {
    return this.#scope.handles.kinds[handle] === REFUSED;
  }

  /** Adds a number; fractions of a millisecond are cut off. */
  point(handle: number, timeMs: number, value: number): void {
    this.#owned().push(handle, timeMs, value);
  }

  /**
   * Adds `count` numbers that are columns already. The request reads them when `send` is called; then they may be used
   * for something else.
   */
  columns(handles: Uint32Array, timesMs: Float64Array, values: Float64Array, count: number): void {
    const given = { refs: handles, timesMs, values, length: count };
    if (this.#points.length === 0) this.#points = given;
    else append(this.#owned(), given);
  }

  /** Adds a packed sketch; the bytes belong to the request from now on. */
  sketch(handle: number, timeMs: number, payload: Uint8Array): void {
    this.#sketches.push(handle, timeMs, payload);
    this.#payloadBytes += payload.length;
  }

  /** Counts points that the protocol itself refuses, under a reason of a closed set. */
  reject(reason: string, field: string, limit: string, points = 1): void {
    this.#rejections.add(reason, field, limit, points);
  }

  /** Counts what has no place here and is no error, under a reason of a closed set. */
  leaveOut(reason: string, count: number): void {
    this.#leftOut.set(reason, (this.#leftOut.get(reason) ?? 0) + count);
  }

  /** Hands the points over; resolves when they are durable, or known not to be. Never rejects for what the log does. */
  async send(): Promise<RequestResult> {
    assert(!this.#isSent, 'a request is sent once');
    this.#isSent = true;
    const points = this.#points.length + this.#sketches.length;
    const { requestPoints, batchPoints } = this.#limits;
    // What has a key is one batch: a batch is either in a partition or not.
    const [field, most] =
      this.#keyed !== undefined && batchPoints < requestPoints
        ? ['batchPoints', batchPoints]
        : ['requestPoints', requestPoints];
    if (points > most) {
      this.#rejections.add('request_too_large', field, `${most} points`, points);
      return this.#answer('refused', 0);
    }
    const bytes = points * POINT_BYTES + this.#sketches.length * SKETCH_BYTES + this.#payloadBytes;
    const full = this.#reserve(bytes);
    if (full !== undefined) return full;
    try {
      return await this.#take();
    } finally {
      this.#release(bytes);
    }
  }

  async #take(): Promise<RequestResult> {
    const scope = this.#scope;
    const { session } = scope;
    // Columns that were lent go back when this function waits for the first time.
    if (scope.mustCheckBudget) this.#owned();
    while (scope.mustCheckBudget) {
      try {
        await scope.checkBudget();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        return this.#retry('budget_unknown', 'series', 'a budget that can be checked', error.message);
      }
    }
    if (!session.isAccepting) return this.#retryFor(session.refusal);
    const notStored = await this.#settled();
    if (notStored.size > 0) {
      const [partition] = notStored;
      return this.#retryFor(session.refusalOf(partition));
    }
    const left = this.#rejections.points;
    const accepted = this.#accepted;
    return this.#answer(accepted === 0 && left > 0 ? 'refused' : 'acked', accepted);
  }

  /** Puts what is good into the scope's batches; resolves with the partitions that did not store all of it. */
  #settled(): Promise<ReadonlySet<number>> {
    const done = Promise.withResolvers<ReadonlySet<number>>();
    const notStored = new Set<number>();
    let waiting = 1;
    const settle = (partitions: ReadonlySet<number>): void => {
      for (const partition of partitions) notStored.add(partition);
      if (--waiting === 0) done.resolve(notStored);
    };
    const added = (): void => {
      waiting++;
      this.#target.added(settle);
    };
    const { limits, acceptClock } = this.#scope.session;
    const rules = new PointRules(limits, acceptClock.nowMs());
    this.#addSketches(rules, added);
    this.#addPoints(rules, added);
    this.#keyed?.send();
    settle(NONE);
    return done.promise;
  }

  #addPoints(rules: PointRules, added: () => void): void {
    const { batchPoints } = this.#limits;
    const points = this.#points;
    const total = points.length;
    let kept = 0;
    for (let from = 0; from < total; from += batchPoints) {
      const taken = this.#addNumbers(from, Math.min(total, from + batchPoints), rules);
      kept += taken;
      if (taken === 0) continue;
      this.#target.gathering.count(taken, 0, 0);
      added();
    }
    this.#accepted += kept;
    this.#points = NO_NUMBERS;
  }

  /** The numbers as columns of the request's own. */
  #owned(): PointColumns {
    if (this.#own === undefined) {
      this.#own = new PointColumns(0);
      append(this.#own, this.#points);
      this.#points = this.#own;
    }
    return this.#own;
  }

  /** Adds points [from, to) to the batch that is gathered; returns how many were good. */
  #addNumbers(from: number, to: number, rules: PointRules): number {
    const { handles } = this.#scope;
    const { gathering } = this.#target;
    const { partitions, refs, kinds } = handles;
    const { refs: own, timesMs, values } = this.#points;
    const { minTimeMs, maxTimeMs } = rules;
    let taken = 0;
    for (let i = from; i < to; i++) {
      const handle = own[i];
      const timeMs = timesMs[i];
      const value = values[i];
      const kind = kinds[handle];
      const isPlain = kind !== REFUSED && isPlainNumber(kind, timeMs, value, minTimeMs, maxTimeMs);
      if (!isPlain && this.#isRejected(handle, timeMs, value, rules)) continue;
      gathering.part(partitions[handle]).points.push(refs[handle], Math.floor(timeMs), value);
      taken++;
    }
    return taken;
  }

  #isRejected(handle: number, timeMs: number, value: number, rules: PointRules): boolean {
    if (this.#isRefused(handle)) return true;
    return rules.rejectsNumber(this.#scope.handles.kinds[handle], timeMs, value, this.#rejections);
  }

  #addSketches(rules: PointRules, added: () => void): void {
    const { batchPoints, batchBytes } = this.#limits;
    const sketches = this.#sketches;
    const { handles } = this.#scope;
    let kept = 0;
    let open = 0;
    let bytes = 0;
    const count = (): void => {
      if (open === 0) return;
      this.#target.gathering.count(0, open, bytes);
      added();
      open = 0;
      bytes = 0;
    };
    for (let i = 0; i < sketches.length; i++) {
      const handle = sketches.refs[i];
      const payload = sketches.payloads[i];
      const timeMs = sketches.timesMs[i];
      if (this.#isRefused(handle)) continue;
      if (rules.rejectsSketch(handles.kinds[handle], timeMs, payload, this.#rejections)) continue;
      const part = this.#target.gathering.part(handles.partitions[handle]);
      part.sketches.push(handles.refs[handle], Math.floor(timeMs), payload);
      kept++;
      bytes += payload.length;
      if (++open >= batchPoints || bytes >= batchBytes) count();
    }
    count();
    this.#accepted += kept;
    sketches.clear();
  }

  /** True when the series is refused: its point is counted under that reason. */
  #isRefused(handle: number): boolean {
    const refusal = this.#scope.refusalOf(handle);
    if (refusal === undefined) return false;
    this.#rejections.refuse(refusal);
    return true;
  }

  /** Counts the bytes as pending, or says why there is no room. */
  #reserve(bytes: number): RequestResult | undefined {
    const { pendingBytes, pendingBytesPerTenant } = this.#limits;
    const { tenant } = this.#scope;
    const own = this.#pending.byTenant.get(tenant) ?? 0;
    const isTenants = own + bytes > pendingBytesPerTenant;
    if (bytes > pendingBytesPerTenant) {
      const points = this.#points.length + this.#sketches.length;
      this.#rejections.add('request_too_large', 'pendingBytesPerTenant', `${pendingBytesPerTenant} bytes`, points);
      return this.#answer('refused', 0);
    }
    if (isTenants) {
      return this.#retry('tenant_pending', 'pendingBytesPerTenant', `${pendingBytesPerTenant} bytes`, 'too many wait');
    }
    if (this.#pending.all + bytes > pendingBytes) {
      return this.#retry('requests_pending', 'pendingBytes', `${pendingBytes} bytes`, 'too many wait');
    }
    this.#pending.all += bytes;
    this.#pending.byTenant.set(tenant, own + bytes);
    return undefined;
  }

  #release(bytes: number): void {
    const { tenant } = this.#scope;
    const { byTenant } = this.#pending;
    const rest = (byTenant.get(tenant) ?? 0) - bytes;
    this.#pending.all -= bytes;
    if (rest > 0) byTenant.set(tenant, rest);
    else byTenant.delete(tenant);
  }

  #retry(reason: string, field: string, limit: string, why: string): RequestResult {
    return this.#retryFor({ reason, field, limit, points: 0, message: `${field}: ${why} (limit: ${limit})` });
  }

  #retryFor(cause: Rejection): RequestResult {
    const rejections = [...this.#rejections.list, cause];
    return { outcome: 'retry', acceptedPoints: 0, rejections, retryAfterMs: RETRY_AFTER_MS };
  }

  #answer(outcome: 'acked' | 'refused', acceptedPoints: number): RequestResult {
    const rejections = this.#rejections.list;
    const { session, tenant } = this.#scope;
    session.count(tenant, rejections);
    session.countLeftOut(tenant, this.#leftOut);
    return { outcome, acceptedPoints, rejections, retryAfterMs: 0 };
  }
}

type Numbers = Readonly<Pick<PointColumns, 'length'>> & {
  readonly refs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
};

const NO_NUMBERS: Numbers = new PointColumns(0);

function append(target: PointColumns, { refs, timesMs, values, length }: Numbers): void {
  target.reserve(length);
  target.refs.set(refs.subarray(0, length), target.length);
  target.timesMs.set(timesMs.subarray(0, length), target.length);
  target.values.set(values.subarray(0, length), target.length);
  target.length += length;
}

const NONE: ReadonlySet<number> = new Set();
