import { equalBytes } from '@tidemark/bytes';
import type {
  AggregateReply,
  AggregateRequest,
  Gap,
  MatchedGroup,
  MatchReply,
  MatchRequest,
  MetricMetadata,
  TagFilter as TagFilterMessage,
} from '@tidemark/contract';
import {
  AggregateReply as AggregateReplyMessage,
  PartitionStatusReply,
  ReplicaPosition,
  TagPartitionStatusReply,
} from '@tidemark/contract';
import {
  packPartial,
  SpacePartial,
  spaceFoldOf,
  TIME_FOLD,
  type TimeFold,
  TimeFolder,
  timeFoldOf,
} from '@tidemark/fold';
import {
  classOfKind,
  DAY_MS,
  dayOf,
  hash128,
  ID_BYTES,
  KIND,
  type Kind,
  metricId,
  type SeriesClass,
  seriesId,
  seriesName,
} from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { groupTags, matchesFilter, type TagFilter } from '@tidemark/query-language';
import { packedTotals } from '@tidemark/sketch';
import type { PointStoreReader, PositionsReader, QueryStores, TagStoreReader } from '@tidemark/store-rpc';

export interface ModelPoint {
  readonly partition: number;
  readonly tenant: string;
  readonly metric: string;
  readonly kind: Kind;
  readonly tags: readonly string[];
  readonly timeMs: number;
  readonly value: number | Uint8Array;
  /** Offset in `tags` of the record that defines the series; every tag store has read it when omitted. */
  readonly tagsOffset?: number;
}

/** Stores that keep all points in a list and answer as the contracts say, by reading every one. */
export class ModelStores implements QueryStores {
  points: ModelPoint[] = [];
  /** Next `tags` offset of each tag store; Infinity when it has read all. */
  readonly tagsOffsets = new Map<number, number>();
  /** Watermark of each partition, ms; `undefined` before its first mark. */
  readonly watermarksMs = new Map<number, number | undefined>();
  /** Parts that fail, such as `points/1`. */
  readonly failing = new Map<string, TidemarkError>();
  /** What a point store says of the series of every request apart from their values. */
  readonly findings = new Map<number, Partial<AggregateReply>>();
  /** Time before which a tag store has deleted its series, ms. */
  readonly seriesDeletedBeforeMs = new Map<number, number>();
  /** What a partition knows of each of its metrics; without it, the kind that its points say. */
  readonly stated = new Map<number, MetricMetadata>();
  /** Why a part has halted. */
  readonly halted = new Map<string, string>();
  /** By part, such as `points/1`. */
  readonly gaps = new Map<string, { readonly offset: number; readonly reason: string }[]>();
  /** Every request, as `points/1`, in order; those of points with the sizes of their series sets. */
  readonly requests: string[] = [];
  /** Called before each answer; may wait. */
  before: (part: string, signal: AbortSignal | undefined) => Promise<void> | void = () => {};
  readonly #sets = new Map<string, Buffer>();

  forgetSets(): void {
    this.#sets.clear();
  }

  /** All point stores of this process, with the positions that `watermarksMs` says. */
  pointProcess(): PointStoreReader & PositionsReader {
    return {
      aggregate: (request, signal) => this.pointStore(request.partition).aggregate(request, signal),
      status: (request, signal) => this.pointStore(request.partition).status(request, signal),
      positions: async (signal) => {
        await this.#enter('positions', signal);
        return {
          positions: [...this.watermarksMs].map(([partition, watermarkMs]) =>
            ReplicaPosition.create({
              ...{ partition, watermarkMs },
              offset: this.points.filter((p) => p.partition === partition).length,
              halted: this.halted.get(`points/${partition}`),
            }),
          ),
        };
      },
    };
  }

  /** All tag stores of this process, with the positions that `tagsOffsets` says. */
  tagProcess(): TagStoreReader & PositionsReader {
    return {
      match: (request, signal) => this.tagStore(request.partition).match(request, signal),
      describeMetrics: (request, signal) => this.tagStore(request.partition).describeMetrics(request, signal),
      describeTags: (request, signal) => this.tagStore(request.partition).describeTags(request, signal),
      seriesTags: (request, signal) => this.tagStore(request.partition).seriesTags(request, signal),
      status: (request, signal) => this.tagStore(request.partition).status(request, signal),
      positions: async (signal) => {
        await this.#enter('positions', signal);
        return {
          positions: [...this.tagsOffsets].map(([partition, offset]) =>
            ReplicaPosition.create({ partition, offset, halted: this.halted.get(`tags/${partition}`) }),
          ),
        };
      },
    };
  }

  tagStore(partition: number): TagStoreReader {
    const enter = (signal?: AbortSignal) => this.#enter(`tags/${partition}`, signal);
    return {
      match: async (request, signal) => {
        await enter(signal);
        return this.#match(request);
      },
      describeMetrics: async ({ tenant, contains, limit, names }, signal) => {
        await enter(signal);
        const known = this.#known(partition).filter((p) => p.tenant === tenant && p.metric.includes(contains));
        const all = [...new Set(known.map((p) => p.metric))].sort();
        const metrics = all.filter((metric) => names.length === 0 || names.includes(metric)).slice(0, limit);
        return {
          tagsOffset: 0,
          gaps: this.#gapsOf('tags', partition),
          metrics: metrics.map((metric) => {
            const own = known.filter((p) => p.metric === metric);
            return {
              metric,
              classes: [...new Set(own.map((p) => classOfKind(p.kind)))].sort(),
              series: new Set(own.map((p) => p.tags.join())).size,
              lastDayMs: Math.max(...own.map((p) => dayOf(p.timeMs) * DAY_MS)),
              metadata: this.stated.get(partition),
            };
          }),
        };
      },
      describeTags: async ({ tenant, metric }, signal) => {
        await enter(signal);
        const counts = new Map<string, Map<string, number>>();
        for (const tags of tagSets(this.#known(partition).filter((p) => p.tenant === tenant && p.metric === metric))) {
          for (const tag of tags) {
            const [key, value] = [tag.slice(0, tag.indexOf(':')), tag.slice(tag.indexOf(':') + 1)];
            const values = counts.get(key) ?? new Map<string, number>();
            counts.set(key, values.set(value, (values.get(value) ?? 0) + 1));
          }
        }
        const keys = [...counts].map(([key, values]) => {
          const top = [...values].map(([value, series]) => ({ value, series }));
          return { key, values: values.size, series: top.reduce((sum, { series }) => sum + series, 0), top };
        });
        return { tagsOffset: 0, gaps: this.#gapsOf('tags', partition), keys };
      },
      seriesTags: async () => ({ series: [], tagsOffset: 0 }),
      status: async (_, signal) => {
        await enter(signal);
        return TagPartitionStatusReply.create({ partition });
      },
    };
  }

  pointStore(partition: number): PointStoreReader {
    return {
      aggregate: async (request, signal) => {
        const sizes = request.groups.map(({ series }) => series.length / ID_BYTES);
        await this.#enter(`points/${partition} ${sizes.join(',')}`.trim(), signal);
        return this.#aggregate(request);
      },
      status: async ({ tagsOffset }, signal) => {
        await this.#enter(`points/${partition}`, signal);
        const watermarkMs = this.watermarksMs.get(partition);
        return PartitionStatusReply.create({
          ...{ partition, watermarkMs, coveredWatermarkMs: tagsOffset === undefined ? undefined : watermarkMs },
          clients: ['default', 'other'].map((tenant, i) => ({ tenant, clientSession: Buffer.alloc(ID_BYTES, i) })),
        });
      },
    };
  }

  async #enter(request: string, signal: AbortSignal | undefined): Promise<void> {
    this.requests.push(request);
    const part = request.split(' ')[0];
    await this.before(part, signal);
    const failure = this.failing.get(part);
    if (failure !== undefined) throw failure;
  }

  /** Points whose series the partition's tag store knows by now. */
  #known(partition: number): ModelPoint[] {
    const next = this.tagsOffsets.get(partition) ?? Number.POSITIVE_INFINITY;
    return this.points.filter((p) => p.partition === partition && (p.tagsOffset ?? 0) < next);
  }

  #match(request: MatchRequest): MatchReply {
    const { partition, tenant, metric, groupBy } = request;
    const filter = plainFilter(request.filter);
    const days = [dayOf(request.fromMs), dayOf(request.toMs - 1)];
    const seen = this.#known(partition).filter(
      (p) => p.tenant === tenant && p.metric === metric && dayOf(p.timeMs) >= days[0] && dayOf(p.timeMs) <= days[1],
    );
    const groups = new Map<string, { tags: string[]; seriesClass: SeriesClass; ids: Set<string> }>();
    for (const point of seen) {
      if (!matchesFilter(filter, point.tags)) continue;
      for (const tags of groupTags(groupBy, point.tags)) {
        const seriesClass = classOfKind(point.kind);
        const key = `${tags.join('\n')}\n${seriesClass}`;
        const group = groups.get(key) ?? { tags, seriesClass, ids: new Set<string>() };
        groups.set(key, group);
        group.ids.add(idOf(point));
      }
    }
    if (groups.size > request.maxGroups) {
      const detail = { limit: 'max_groups', allowed: request.maxGroups };
      throw new TidemarkError('resource_exhausted', `${groups.size} groups`, detail);
    }
    const matched: MatchedGroup[] = [...groups.values()].map(({ tags, seriesClass, ids }) => ({
      tags,
      seriesClass,
      series: Buffer.from([...ids].sort().join(''), 'hex'),
    }));
    const next = this.tagsOffsets.get(partition) ?? 1_000_000;
    const classes = [...new Set(seen.map((p) => classOfKind(p.kind)))].sort();
    const version = hash128(Buffer.from(JSON.stringify([classes, matched])));
    const unchanged = equalBytes(version, request.knownVersion ?? Buffer.alloc(0));
    return {
      metricId: metricId(tenant, metric),
      ...(unchanged ? { classes: [], groups: [] } : { classes, groups: matched }),
      ...{ version, unchanged },
      metadata: this.stated.get(partition) ?? {
        ...{ user: undefined, protocol: { kind: this.#kindOfReadings(seen) } },
        implied: undefined,
      },
      deletedBeforeMs: this.seriesDeletedBeforeMs.get(partition),
      tagsOffset: next,
      gaps: this.#gapsOf('tags', partition),
    };
  }

  /** What the metric's senders state of its readings. */
  #kindOfReadings(points: readonly ModelPoint[]): Kind | undefined {
    return points.find(({ kind }) => kind === KIND.gauge || kind === KIND.counter)?.kind;
  }

  #aggregate(request: AggregateRequest): AggregateReply {
    const { partition, fromMs, toMs, stepMs, intervalMs } = request;
    const own = this.points.filter((p) => p.partition === partition);
    const steps = Math.ceil((toMs - fromMs) / stepMs);
    const fold = timeFoldOf(request.timeFold);
    const folders = [false, true].map(
      (isAmount) => new TimeFolder({ fold, fromMs, stepMs, steps, isAmount, intervalMs }),
    );
    let pointsRead = 0;
    const groups = request.groups.map(({ digest, series }) => {
      const partial = new SpacePartial(spaceFoldOf(request.spaceFold), steps);
      const ids = this.#resolve(digest, series).toString('hex').match(/.{32}/g) ?? [];
      for (const id of ids) {
        const points = own.filter((p) => idOf(p) === id).sort((a, b) => a.timeMs - b.timeMs);
        pointsRead += points.length;
        const times = Float64Array.from(points, ({ timeMs }) => timeMs);
        const sketches = points.flatMap(({ value }) => (typeof value === 'number' ? [] : [value]));
        const values = Float64Array.from(points, ({ value }) => amountOf(value, fold));
        const folder = folders[points[0]?.kind === KIND.count || sketches.length > 0 ? 1 : 0];
        partial.addSeries(
          fold === TIME_FOLD.sketch
            ? folder.foldSketches(times, sketches)
            : folder.foldPoints(times, values, times.length),
        );
      }
      return packPartial(partial);
    });
    if (pointsRead > request.maxPoints) {
      const detail = { field: 'max_points', limit: request.maxPoints };
      throw new TidemarkError('resource_exhausted', `${pointsRead} points`, detail);
    }
    const watermarkMs = this.watermarksMs.get(partition);
    // The block of a point was appended when its accept time, here its timestamp, was still ahead of the watermark.
    const uncovered = own.filter((p) => (p.tagsOffset ?? 0) >= request.tagsOffset).map((p) => p.timeMs);
    return AggregateReplyMessage.fromPartial({
      groups: groups.map((group) => ({ ...group, count: Buffer.from(group.count) })) as AggregateReply['groups'],
      offset: own.length,
      watermarkMs,
      coveredWatermarkMs: watermarkMs === undefined ? undefined : Math.min(watermarkMs, ...uncovered),
      pointsRead,
      seriesRead: request.groups.length,
      gaps: this.#gapsOf('points', partition),
      ...(this.findings.get(partition) ?? {}),
    });
  }

  #gapsOf(topic: string, partition: number): Gap[] {
    return (this.gaps.get(`${topic}/${partition}`) ?? []).map((gap) => ({ topic, partition, records: 1, ...gap }));
  }

  #resolve(digest: Buffer, series: Buffer): Buffer {
    const key = digest.toString('hex');
    if (series.length === 0) {
      const known = this.#sets.get(key);
      if (known === undefined) throw new TidemarkError('failed_precondition', 'unknown set');
      return known;
    }
    if (digest.length > 0) {
      if (!hash128(series).equals(digest)) throw new TidemarkError('invalid_argument', 'wrong digest');
      this.#sets.set(key, series);
    }
    return series;
  }
}

function idOf({ tenant, metric, kind, tags }: ModelPoint): string {
  return seriesId(seriesName(tenant, metric, classOfKind(kind), tags)).toString('hex');
}

/** The value of a point; of a sketch the part that the fold takes. */
function amountOf(value: number | Uint8Array, fold: TimeFold): number {
  if (typeof value === 'number') return value;
  const { sum, count } = packedTotals(value);
  return fold === TIME_FOLD.sketchCount ? count : sum;
}

function tagSets(points: readonly ModelPoint[]): (readonly string[])[] {
  return [...new Map(points.map((p) => [idOf(p), p.tags])).values()];
}

function plainFilter(message: TagFilterMessage | undefined): TagFilter {
  const filter = message?.filter;
  if (filter === undefined) return { type: 'all' };
  switch (filter.$case) {
    case 'tag':
      return { type: 'tag', tag: filter.value };
    case 'pattern':
      return { type: 'pattern', ...filter.value };
    case 'in':
      return { type: 'in', ...filter.value };
    case 'not':
      return { type: 'not', filter: plainFilter(filter.value) };
    case 'and':
      return { type: 'and', filters: filter.value.filters.map(plainFilter) };
    default:
      return { type: 'or', filters: filter.value.filters.map(plainFilter) };
  }
}
