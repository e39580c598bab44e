import { LocalRefusals, type MetricDescription } from '@tidemark/client';
import { type KindName, tagsKey } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import type { AgentClient, AgentSeries } from './agent-client.ts';
import type { HostTags } from './host-tags.ts';

/** A series that the client refused. */
export class RefusedSeries {
  readonly reason: string;
  readonly example: string;
  /** The flush at which the client is asked again: its limits may have room then. */
  readonly untilFlush: number;

  constructor(reason: string, example: string, untilFlush: number) {
    this.reason = reason;
    this.example = example;
    this.untilFlush = untilFlush;
  }
}

interface CachedHandle {
  handle: AgentSeries | RefusedSeries;
  /** Interval that was stated last, ms; undefined where none was. */
  intervalMs: number | undefined;
  lastUsedFlush: number;
}

/** The client's series by metric, kind and tags. Series that were not used for a while are evicted. */
export class HandleCache {
  readonly #client: AgentClient;
  readonly #tags: HostTags;
  readonly #handles = new Map<string, CachedHandle>();
  /** Points of the series that the client refused, by reason. */
  readonly refusals = new LocalRefusals();
  readonly #idleFlushes: number;
  readonly #limit: number;
  #flush = 0;

  constructor(client: AgentClient, tags: HostTags, idleFlushes: number, limit: number) {
    this.#client = client;
    this.#tags = tags;
    this.#idleFlushes = Math.max(1, idleFlushes);
    this.#limit = limit;
  }

  get size(): number {
    return this.#handles.size;
  }

  /**
   * Returns the cached handle for a point, or makes one. When the client refuses the series the point is counted as
   * dropped. `intervalMs` is stated to the client when it is not what was stated last.
   */
  get(metric: string, kind: KindName, tags: readonly string[], intervalMs?: number): AgentSeries | undefined {
    const key = `${kind}\0${metric}\0${tagsKey(tags)}`;
    let cached = this.#handles.get(key);
    if (cached === undefined) {
      cached = { handle: this.make(metric, kind, tags, intervalMs), intervalMs, lastUsedFlush: this.#flush };
      if (this.#handles.size < this.#limit) this.#handles.set(key, cached);
    } else if ((intervalMs !== undefined && intervalMs !== cached.intervalMs) || this.isOutdated(cached.handle)) {
      cached.handle = this.make(metric, kind, tags, intervalMs);
      cached.intervalMs = intervalMs;
    }
    cached.lastUsedFlush = this.#flush;
    return this.forPoint(cached.handle);
  }

  /** Makes a handle that the caller keeps, and passes to `forPoint` for each point. */
  make(metric: string, kind: KindName, tags: readonly string[], intervalMs?: number): AgentSeries | RefusedSeries {
    try {
      return this.#client.series(metric, kind, this.#tags.addedTo(tags), intervalMs);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      const reason = String(error.detail.reason ?? error.code);
      return new RefusedSeries(reason, `${error.message} in ${metric}`, this.#flush + this.#idleFlushes);
    }
  }

  /** Returns undefined, and counts a dropped point, when the client has refused the series. */
  forPoint(handle: AgentSeries | RefusedSeries): AgentSeries | undefined {
    if (!(handle instanceof RefusedSeries)) return handle;
    this.refusals.add(handle.reason, 1, handle.example);
    return undefined;
  }

  /** True for a series that the client refused so long ago that it may accept it now. */
  isOutdated(handle: AgentSeries | RefusedSeries): boolean {
    return handle instanceof RefusedSeries && this.#flush >= handle.untilFlush;
  }

  /** States what a metric is. */
  describe(metric: string, description: MetricDescription): void {
    this.#client.describe(metric, description);
  }

  /** Ends a flush. Some flushes evict the handles that were idle for `idleFlushes` flushes. */
  endFlush(): void {
    this.#flush++;
    if (this.#flush % Math.max(1, this.#idleFlushes >> 2) !== 0) return;
    for (const [key, cached] of this.#handles) {
      if (this.#flush - cached.lastUsedFlush >= this.#idleFlushes) this.#handles.delete(key);
    }
  }
}
