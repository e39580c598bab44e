import { SPACE_FOLD, TIME_FOLD } from '@tidemark/fold';
import type { Cluster } from './cluster.ts';
import type { AppliedPoint, PlainConsumer } from './plain-consumer.ts';
import { PARTITIONS } from './settings.ts';
import { Violation } from './violation.ts';

/**
 * What the stores have deleted because it expired: nothing before its time by the log. The other checks ask it which points may
 * be gone.
 */
export class RetentionCheck {
  readonly #cluster: Cluster;
  /** By partition, the time before which points may be gone, ms. */
  readonly #deletedBeforeMs = new Array<number>(PARTITIONS).fill(Number.NEGATIVE_INFINITY);
  /** Number of points that expired. */
  expired = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** True for a point that a store may have deleted, as of `check`. */
  mayBeGone({ partition, timeMs }: Pick<AppliedPoint, 'partition' | 'timeMs'>): boolean {
    return timeMs < this.#deletedBeforeMs[partition];
  }

  /** Asks every replica at the end. */
  async check(plain: readonly PlainConsumer[], applied: readonly AppliedPoint[]): Promise<void> {
    const { stores, pointLimits } = this.#cluster;
    const { retentionMs, bucketMs } = pointLimits;
    for (const { name, host } of stores) {
      for (const [partition, store] of host?.points ?? []) {
        const { deletedBeforeMs } = await store.aggregate({
          ...{ partition, metricId: Buffer.alloc(16), fromMs: 0, toMs: 1, stepMs: 1, maxPoints: 0, groups: [] },
          ...{ timeFold: TIME_FOLD.points, spaceFold: SPACE_FOLD.sum, latenessMs: 0, tagsOffset: 0 },
        });
        if (deletedBeforeMs === undefined) continue;
        const newestMs = Math.max(...plain[partition].positions.map(({ watermarkMs }) => watermarkMs));
        const limitMs = Math.floor((newestMs - retentionMs) / bucketMs) * bucketMs;
        if (retentionMs === 0 || deletedBeforeMs > limitMs) {
          const message = `deleted points before ${deletedBeforeMs}, by the log none from ${limitMs} on has expired`;
          throw new Violation('expires-by-the-log', `${name}, partition ${partition}: ${message}`);
        }
        this.#deletedBeforeMs[partition] = Math.max(this.#deletedBeforeMs[partition], deletedBeforeMs);
      }
    }
    this.expired = applied.filter((point) => this.mayBeGone(point)).length;
  }
}
