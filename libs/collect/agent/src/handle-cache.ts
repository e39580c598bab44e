import { LocalRefusals, type MetricDescription } from '@tidemark/client';
import { type KindName, tagsKey } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import type { AgentClient, AgentSeries } from './agent-client.ts';
import type { HostTags } from './host-tags.ts';

interface CachedHandle {
  /** Undefined when the client refused the series. */
  handle: AgentSeries | undefined;
  /** Interval that was stated last, ms; undefined where none was. */
  intervalMs: number | undefined;
  lastUsedFlush: number;
}

/** The client's series by metric, kind and tags. Series that were not used for a while are evicted. */
export class HandleCache {
  readonly #client: AgentClient;
  readonly #tags: HostTags;
  readonly #handles = new Map<string, CachedHandle>();
  /** Series refused by the client, by reason. */
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
   * Returns the cached handle, or makes one; undefined when the client refuses the series. `intervalMs` is stated to the
   * client when it is not what was stated last.
   */
  get(metric: string, kind: KindName, tags: readonly string[], intervalMs?: number): AgentSeries | undefined {
    const key = `${kind}\0${metric}\0${tagsKey(tags)}`;
    let cached = this.#handles.get(key);
    if (cached === undefined) {
      cached = { handle: this.make(metric, kind, tags, intervalMs), intervalMs, lastUsedFlush: this.#flush };
      if (this.#handles.size < this.#limit) this.#handles.set(key, cached);
    } else if (intervalMs !== undefined && intervalMs !== cached.intervalMs) {
      cached.handle = this.make(metric, kind, tags, intervalMs);
      cached.intervalMs = intervalMs;
    }
    cached.lastUsedFlush = this.#flush;
    return cached.handle;
  }

  /** Makes a handle that the caller keeps; undefined, and counted by reason, when the client refuses the series. */
  make(metric: string, kind: KindName, tags: readonly string[], intervalMs?: number): AgentSeries | undefined {
    try {
      return this.#client.series(metric, kind, this.#tags.addedTo(tags), intervalMs);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      this.refusals.add(String(error.detail.reason ?? error.code), 1, `${error.message} in ${metric}`);
      return undefined;
    }
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
