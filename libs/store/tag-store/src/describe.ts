import type {
  DescribedMetric,
  DescribeMetricsRequest,
  DescribeTagsRequest,
  Series,
  SeriesTagsRequest,
  TagKeyDescription,
} from '@tidemark/contract';
import { DAY_MS, dayOf, ID_BYTES, kindOfClass } from '@tidemark/model';
import { limitError, type SlicedWork, sortedInSlices } from '@tidemark/ports';
import { metadataMessage } from '@tidemark/store-rpc';
import { FilterEvaluator } from './filter.ts';
import { classesSeen } from './match.ts';
import { LAST_DAY, type Metric } from './metric-table.ts';
import type { TagIndex } from './tag-index.ts';
import { beyond, lesser, type TagStoreLimits } from './tag-store-limits.ts';
import { ABSENT } from './typed-list.ts';

/** Series, tags or metrics of one piece of work, and what they cost in units of the cost of a point. */
const PIECE = 128;
const PIECE_COST = 1024;

/**
 * Metrics of a tenant by name, with the series seen on or after the day of `from_ms` that the filter selects; with
 * `stated` also those without such series of which a user has stated something. With `names` only metrics of these. Facts may
 * be added to the index between the pieces. Throws `resource_exhausted` for a filter beyond a limit.
 */
export function* describeMetrics(
  index: TagIndex,
  request: DescribeMetricsRequest,
  limits: TagStoreLimits,
): SlicedWork<DescribedMetric[], number> {
  const fromDay = dayOf(request.fromMs);
  const limit = lesser(request.limit, limits.described);
  const { tenant, contains, after = '', filter, stated = false, names } = request;
  const named = [...new Set(names)].map((name) => index.metrics.find(tenant, name)).filter((one) => one !== undefined);
  const wanted: Metric[] = [];
  let checked = 0;
  for (const metric of names.length === 0 ? index.metrics.ofTenant(tenant) : named) {
    if (++checked % PIECE === 0) yield PIECE_COST;
    const { name } = metric;
    if (!name.includes(contains) || name <= after) continue;
    if (metric.lastDay >= fromDay || (stated && metric.isStatedByUser)) wanted.push(metric);
  }
  const found: DescribedMetric[] = [];
  for (const metric of yield* sortedInSlices(wanted, (a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length === limit) break;
    const universe = yield* metric.seen(fromDay, LAST_DAY);
    const seen = yield* new FilterEvaluator(index, metric, limits).select(filter, universe);
    if (seen.isEmpty && !(stated && metric.isStatedByUser)) continue;
    found.push({
      metric: metric.name,
      classes: yield* classesSeen(index, metric, seen),
      series: seen.size,
      lastDayMs: Math.max(0, metric.lastDay) * DAY_MS,
      metadata: metadataMessage(metric.metadata),
    });
  }
  return found;
}

/**
 * Keys and values of the series of a metric seen in [from_ms, to_ms), by whole UTC days, that the filter selects. Keys are
 * in the order of names; values in the order of their numbers of series, then of names. Facts may be added to the index
 * between the pieces.
 */
export function* describeTags(
  index: TagIndex,
  request: DescribeTagsRequest,
  limits: TagStoreLimits,
): SlicedWork<TagKeyDescription[], number> {
  const metric = index.metrics.find(request.tenant, request.metric);
  if (metric === undefined || request.toMs <= request.fromMs) return [];
  const seen = yield* metric.seen(dayOf(request.fromMs), dayOf(request.toMs - 1));
  const selected = yield* new FilterEvaluator(index, metric, limits).select(request.filter, seen);
  const { keys, seriesOfTag } = yield* countTags(index, selected.toArray());
  const limit = lesser(request.limit, limits.described);
  const described: TagKeyDescription[] = [];
  for (const [key, { series, tags }] of keys) {
    const top = yield* mostUsed(index, tags, seriesOfTag, limit);
    described.push({
      key: index.tags.keyText(key),
      values: tags.length,
      series,
      top: top.map((tag) => ({ value: index.tags.valueText(tag), series: seriesOfTag[tag] })),
    });
    yield PIECE + top.length;
  }
  return yield* sortedInSlices(described, (a, b) => (a.key < b.key ? -1 : 1));
}

interface KeyCount {
  /** The last series that was counted for this key: several values of a series count once. */
  last: number;
  series: number;
  /** The different tags with this key. */
  readonly tags: number[];
}

interface TagCounts {
  readonly keys: Map<number, KeyCount>;
  readonly seriesOfTag: Uint32Array;
}

function* countTags(index: TagIndex, seen: Uint32Array): SlicedWork<TagCounts, number> {
  const keys = new Map<number, KeyCount>();
  const seriesOfTag = new Uint32Array(index.tags.size);
  for (let i = 0; i < seen.length; i++) {
    if (i % PIECE === PIECE - 1) yield PIECE_COST;
    const { values: tags } = index.series.tags;
    const { values: tagStart } = index.series.tagStart;
    const keyIds = index.tags.keyIds.values;
    const dense = seen[i];
    for (let at = tagStart[dense]; at < tagStart[dense + 1]; at++) {
      const tag = tags[at];
      let count = keys.get(keyIds[tag]);
      if (count === undefined) {
        count = { last: ABSENT, series: 0, tags: [] };
        keys.set(keyIds[tag], count);
      }
      if (count.last !== dense) count.series++;
      count.last = dense;
      if (seriesOfTag[tag]++ === 0) count.tags.push(tag);
    }
  }
  return { keys, seriesOfTag };
}

/** The `limit` tags with the most series, then by text, without sorting all other tags. */
function* mostUsed(
  index: TagIndex,
  tags: readonly number[],
  seriesOfTag: Uint32Array,
  limit: number,
): SlicedWork<number[], number> {
  const isBefore = (a: number, b: number): boolean =>
    seriesOfTag[a] === seriesOfTag[b] ? index.tags.tagText(a) < index.tags.tagText(b) : seriesOfTag[a] > seriesOfTag[b];
  const top: number[] = [];
  let tried = 0;
  for (const tag of tags) {
    if (++tried % PIECE === 0) yield PIECE_COST;
    if (top.length === limit && !isBefore(tag, top[limit - 1])) continue;
    let low = 0;
    let high = top.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(top[middle], tag)) low = middle + 1;
      else high = middle;
    }
    top.splice(low, 0, tag);
    if (top.length > limit) top.pop();
  }
  return top;
}

/** Names of series by id; an unknown one, or one of another tenant, has an empty metric. */
export function* seriesTags(
  index: TagIndex,
  request: SeriesTagsRequest,
  limits: TagStoreLimits,
): SlicedWork<Series[], number> {
  if (request.series.length % ID_BYTES !== 0) {
    throw limitError('series', `${request.series.length} bytes`, `${ID_BYTES} bytes an id`);
  }
  const count = request.series.length / ID_BYTES;
  if (count > limits.seriesTags) throw beyond('series', limits.seriesTags, `${count} series requested`);
  const named: Series[] = [];
  for (let i = 0; i < count; i++) {
    if (i % PIECE === PIECE - 1) yield PIECE_COST;
    named.push(nameOf(index, request.tenant, request.series.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)));
  }
  return named;
}

function nameOf(index: TagIndex, tenant: string, id: Uint8Array): Series {
  const dense = index.series.find(id);
  const metric = dense === ABSENT ? undefined : index.metrics.all[index.series.metric.values[dense]];
  if (metric === undefined || metric.tenant !== tenant) return { metric: '', kind: 0, tags: [] };
  return { metric: metric.name, kind: kindOfClass(index.series.seriesClass(dense)), tags: tagsOf(index, dense) };
}

/** The tags of a series by its dense number. */
export function tagsOf(index: TagIndex, dense: number): string[] {
  const { tags, tagStart } = index.series;
  const out: string[] = [];
  for (let at = tagStart.values[dense]; at < tagStart.values[dense + 1]; at++)
    out.push(index.tags.tagText(tags.values[at]));
  return out;
}
