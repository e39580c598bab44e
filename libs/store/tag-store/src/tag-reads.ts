import { ByteWriter, equalBytes } from '@tidemark/bytes';
import type {
  DescribeMetricsReply,
  DescribeMetricsRequest,
  DescribeTagsReply,
  DescribeTagsRequest,
  Gap,
  MatchReply,
  MatchRequest,
  SeriesTagsReply,
  SeriesTagsRequest,
} from '@tidemark/contract';
import { DAY_MS } from '@tidemark/model';
import type { SlicedWork } from '@tidemark/ports';
import { metadataMessage } from '@tidemark/store-rpc';
import { describeMetrics, describeTags, seriesTags } from './describe.ts';
import { match } from './match.ts';
import type { Metric } from './metric-table.ts';
import type { StoredGap } from './store-layout.ts';
import type { TagIndex } from './tag-index.ts';
import type { TagStoreLimits } from './tag-store-limits.ts';

/** Metrics that are counted in one piece, and what they cost, without their days, in units of the cost of a point. */
const PIECE = 64;
const PIECE_COST = 1024;

const NOTHING = Buffer.alloc(0);

export interface OverBudget {
  readonly tenants: readonly { readonly tenant: string; readonly series: number }[];
  readonly metrics: readonly { readonly tenant: string; readonly metric: string; readonly series: number }[];
}

/** What a partition has applied at one moment. */
interface Applied {
  readonly index: TagIndex;
  /** Generation of the numbers of the index: one of another generation is another object. */
  readonly generation: number;
  readonly nextOffset: number;
  readonly gaps: ReadonlyMap<number, StoredGap>;
}

/**
 * The answers to requests about a partition, as work that a caller can do in slices. Records may be applied between them: an
 * answer has every fact below its `tagsOffset`, which is of its beginning, and may have some from after.
 */
export class TagReads {
  readonly #applied: () => Applied;
  readonly #limits: TagStoreLimits;
  readonly #instance: Uint8Array | undefined;

  /** `instance`: see TagPartitionOptions. */
  constructor(applied: () => Applied, limits: TagStoreLimits, instance?: Uint8Array) {
    this.#applied = applied;
    this.#limits = limits;
    this.#instance = instance;
  }

  /** The series that a filter selects, in groups. Throws `resource_exhausted` naming the limit and what was found. */
  *match(request: MatchRequest): SlicedWork<MatchReply, number> {
    const { index } = this.#applied();
    const place = this.#place(request);
    const metric = index.metrics.find(request.tenant, request.metric);
    const metadata = metadataMessage(metric?.metadata ?? {});
    // As of the beginning: facts that are added meanwhile may be missing from what is found.
    const version = metric && this.#versionOf(metric);
    const unchanged = version !== undefined && equalBytes(version, request.knownVersion ?? NOTHING);
    const found = unchanged
      ? { metricId: metric?.id ?? NOTHING, classes: [], groups: [] }
      : yield* match(index, request, this.#limits);
    // As of the end: a day may have expired meanwhile.
    const { expiredThrough, hasEverExpired } = index.calendar;
    const deletedBeforeMs = hasEverExpired ? (expiredThrough + 1) * DAY_MS : undefined;
    return { ...found, metadata, deletedBeforeMs, ...place, version, unchanged };
  }

  /** What a match of the metric follows from, apart from the request. */
  #versionOf({ changes }: Metric): Buffer | undefined {
    if (this.#instance === undefined) return undefined;
    const { index, generation } = this.#applied();
    const version = new ByteWriter();
    version.bytes(this.#instance);
    for (const count of [generation, changes, index.calendar.expired]) version.varint(count);
    return version.take();
  }

  /** Metrics of a tenant, by name. */
  *describeMetrics(request: DescribeMetricsRequest): SlicedWork<DescribeMetricsReply, number> {
    const place = this.#place(request);
    return { metrics: yield* describeMetrics(this.#applied().index, request, this.#limits), ...place };
  }

  /** Tag keys and values of a metric. */
  *describeTags(request: DescribeTagsRequest): SlicedWork<DescribeTagsReply, number> {
    const place = this.#place(request);
    return { keys: yield* describeTags(this.#applied().index, request, this.#limits), ...place };
  }

  /** Names of series by id. */
  *seriesTags(request: SeriesTagsRequest): SlicedWork<SeriesTagsReply, number> {
    const { tagsOffset } = this.#place(request);
    return { series: yield* seriesTags(this.#applied().index, request, this.#limits), tagsOffset };
  }

  /**
   * Tenants and metrics with more series in this partition, seen on or after `sinceDay`, than the limits. Of a tenant, a
   * metric that was stated and has no series counts as one.
   */
  *budgets(limitPerTenant: number, limitPerMetric: number, sinceDay = 0): SlicedWork<OverBudget, number> {
    const tenants: { tenant: string; series: number }[] = [];
    const metrics: { tenant: string; metric: string; series: number }[] = [];
    const table = this.#applied().index.metrics;
    let counted = 0;
    for (const tenant of [...table.tenants()]) {
      let total = 0;
      for (const metric of table.ofTenant(tenant)) {
        if (++counted % PIECE === 0) yield PIECE_COST;
        const series = yield* metric.countSince(sinceDay);
        // A metric that is only stated takes memory like a series.
        total += metric.days.length === 0 && metric.hasMetadata ? 1 : series;
        if (series > limitPerMetric) metrics.push({ tenant, metric: metric.name, series });
      }
      if (total > limitPerTenant) tenants.push({ tenant, series: total });
    }
    return { tenants, metrics };
  }

  /** The offset and gaps of every answer. */
  #place({ partition }: { readonly partition: number }): { tagsOffset: number; gaps: Gap[] } {
    const { nextOffset, gaps } = this.#applied();
    return { tagsOffset: nextOffset, gaps: gapsOf(gaps, partition) };
  }
}

/** Skipped records, by offset: series that they defined are in no answer. */
export function gapsOf(gaps: ReadonlyMap<number, StoredGap>, partition: number): Gap[] {
  return Array.from(gaps, ([offset, gap]) => ({ topic: 'tags', partition, offset, ...gap }));
}
