import type { Bitmap } from '@tidemark/bitmap';
import type { MatchedGroup, MatchRequest } from '@tidemark/contract';
import { dayOf, metricId, type SeriesClass } from '@tidemark/model';
import { type SlicedWork, sortedInSlices } from '@tidemark/ports';
import { FilterEvaluator } from './filter.ts';
import { orderBySeriesId } from './id-order.ts';
import { classesOf, type Metric } from './metric-table.ts';
import type { TagIndex } from './tag-index.ts';
import { ID_WORDS } from './tag-series-table.ts';
import { beyond, lesser, type TagStoreLimits } from './tag-store-limits.ts';
import { ABSENT, PairMap, Uint32List } from './typed-list.ts';

/** The tag of a series that has no tag with a key; no partition has so many tags. */
const MISSING = 0xffffffff;
const WORD_BYTES = 4;
/** Series, or nodes of groups, of one piece of work, and the cost of each in units of the cost of a point. */
const PIECE = 256;
const SERIES_COST = 8;

export interface Match {
  readonly metricId: Buffer;
  readonly classes: SeriesClass[];
  readonly groups: MatchedGroup[];
}

/**
 * The series of a metric alive in [from_ms, to_ms), by whole UTC days, that the filter selects, in groups by class and
 * tags; with a stated interval also those whose last reading may still hold. A series with several values of a key is in the
 * group of each. Facts may be added to the index between the pieces: those from before the first piece are in the result.
 * Throws `resource_exhausted`.
 */
export function* match(index: TagIndex, request: MatchRequest, limits: TagStoreLimits): SlicedWork<Match, number> {
  if (request.groupBy.length > limits.groupKeys) {
    throw beyond('group_keys', limits.groupKeys, `${request.groupBy.length} group_by keys`);
  }
  const metric = index.metrics.find(request.tenant, request.metric);
  if (metric === undefined || request.toMs <= request.fromMs) {
    return { metricId: metricId(request.tenant, request.metric), classes: [], groups: [] };
  }
  const firstDay = Math.max(0, dayOf(request.fromMs) - metric.heldDays);
  const universe = yield* metric.alive(firstDay, dayOf(request.toMs - 1));
  const selected = yield* new FilterEvaluator(index, metric, limits).select(request.filter, universe);
  const maxSeries = lesser(request.maxSeries, limits.matchSeries);
  if (selected.size > maxSeries) {
    throw beyond('max_series', maxSeries, `the query selects ${selected.size} series of ${metric.name}`);
  }
  const grouping = new Grouping(index, metric, request.groupBy, {
    maxSeries,
    maxGroups: lesser(request.maxGroups, limits.matchGroups),
  });
  return {
    metricId: metric.id,
    classes: yield* classesSeen(index, metric, universe),
    groups: yield* grouping.groups(selected.toArray()),
  };
}

/** Kinds of the series of a metric in `seen`, ascending. */
export function* classesSeen(index: TagIndex, metric: Metric, seen: Bitmap): SlicedWork<SeriesClass[], number> {
  if (seen.isEmpty) return [];
  let mask = metric.classMask;
  // Only a metric that changed its class needs a check of every series.
  if ((mask & (mask - 1)) !== 0) {
    mask = 0;
    let checked = 0;
    for (const dense of seen.toArray()) {
      mask |= 1 << index.series.seriesClass(dense);
      if (++checked % PIECE === 0) yield PIECE;
    }
  }
  return classesOf(mask);
}

interface GroupingLimits {
  readonly maxSeries: number;
  readonly maxGroups: number;
}

/**
 * Groups series by the numbers of their tags, never by text. A group is a path in a tree: its class, then one tag (or
 * `MISSING`) for each key. Every node leads to a group, so groups × keys bounds the number of nodes.
 */
class Grouping {
  readonly #index: TagIndex;
  readonly #metric: Metric;
  readonly #keyTexts: readonly string[];
  readonly #keys: number[];
  readonly #missing: number[];
  readonly #limits: GroupingLimits;
  /** (node, tag) → node. Nodes below 4 are the classes. */
  readonly #children: PairMap;
  readonly #parent = new Uint32List();
  readonly #tag = new Uint32List();
  readonly #sizes = new Uint32List();
  #groupCount = 0;
  /** Nodes below which the series that is being placed has further groups. */
  readonly #pending: { readonly node: number; readonly level: number }[] = [];
  /** Node of each member. */
  readonly #memberNode = new Uint32List();
  readonly #member = new Uint32List();

  constructor(index: TagIndex, metric: Metric, keys: readonly string[], limits: GroupingLimits) {
    this.#index = index;
    this.#children = new PairMap(index.idHash?.key);
    this.#metric = metric;
    this.#keyTexts = keys;
    this.#keys = keys.map((key) => index.tags.keyId(key));
    // A series that is actually tagged `key:N/A` is in the same group: both would have the same name.
    this.#missing = keys.map((key) => {
      const tag = index.tags.tagId(`${key}:N/A`);
      return tag === ABSENT ? MISSING : tag;
    });
    this.#limits = limits;
    for (let seriesClass = 0; seriesClass <= 3; seriesClass++) this.#addNode(0, 0);
  }

  /** Groups of the selected series. Reads them in memory order, and sorts the ids at the end. */
  *groups(selected: Uint32Array): SlicedWork<MatchedGroup[], number> {
    this.#member.reserve(selected.length);
    this.#memberNode.reserve(selected.length);
    let steps = 0;
    for (const dense of selected) {
      this.#pending.push({ node: this.#index.series.seriesClass(dense), level: 0 });
      // A series with several values of several keys is in as many groups as these have combinations.
      for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
        this.#place(dense, next.node, next.level);
        if (++steps % PIECE === 0) yield PIECE * SERIES_COST * (1 + this.#keys.length);
      }
    }
    return yield* this.#collect();
  }

  /** Places a series below `node`, by its tags from key `level` on; puts off further values of a key. */
  #place(dense: number, from: number, fromLevel: number): void {
    const { tags, tagStart } = this.#index.series;
    const keyIds = this.#index.tags.keyIds.values;
    const [start, end] = [tagStart.values[dense], tagStart.values[dense + 1]];
    let node = from;
    for (let level = fromLevel; level < this.#keys.length; level++) {
      const key = this.#keys[level];
      let first = this.#missing[level];
      let found = 0;
      for (let at = start; at < end; at++) {
        const tag = tags.values[at];
        if (keyIds[tag] !== key) continue;
        if (found++ === 0) first = tag;
        else this.#pending.push({ node: this.#child(node, tag), level: level + 1 });
      }
      node = this.#child(node, first);
    }
    this.#join(dense, node);
  }

  #join(dense: number, node: number): void {
    if (this.#member.length === this.#limits.maxSeries) {
      const found = `the groups of ${this.#metric.name} have more than ${this.#member.length} series in total`;
      throw beyond('max_series', this.#limits.maxSeries, found);
    }
    if (this.#sizes.values[node] === 0) {
      if (this.#groupCount === this.#limits.maxGroups) {
        const found = `more than ${this.#groupCount} groups of ${this.#metric.name} by ${this.#keyTexts.join(', ')}`;
        throw beyond('max_groups', this.#limits.maxGroups, found);
      }
      this.#groupCount++;
    }
    this.#sizes.values[node]++;
    this.#member.push(dense);
    this.#memberNode.push(node);
  }

  #child(node: number, tag: number): number {
    let child = this.#children.get(node, tag);
    if (child === ABSENT) {
      child = this.#addNode(node, tag);
      this.#children.put(node, tag, child);
    }
    return child;
  }

  #addNode(parent: number, tag: number): number {
    this.#parent.push(parent);
    this.#tag.push(tag);
    return this.#sizes.push(0);
  }

  *#collect(): SlicedWork<MatchedGroup[], number> {
    const words = new Uint32Array(this.#member.length * ID_WORDS);
    /** Position of the next series of each node, in words. */
    const cursors = new Uint32Array(this.#sizes.length);
    const groups: MatchedGroup[] = [];
    let at = 0;
    for (let node = 0; node < this.#sizes.length; node++) {
      if (node % PIECE === PIECE - 1) yield PIECE * SERIES_COST * (1 + this.#keys.length);
      const sizeWords = this.#sizes.values[node] * ID_WORDS;
      if (sizeWords === 0) continue;
      cursors[node] = at;
      const series = Buffer.from(words.buffer, at * WORD_BYTES, sizeWords * WORD_BYTES);
      groups.push({ ...this.#nameOf(node), series });
      at += sizeWords;
    }
    const members = this.#member.values.subarray(0, this.#member.length);
    const nodes = this.#memberNode.values;
    let copied = 0;
    for (const position of yield* orderBySeriesId(members, this.#index.series)) {
      if (++copied % PIECE === 0) yield PIECE;
      const node = nodes[position];
      this.#index.series.copyId(members[position], words, cursors[node]);
      cursors[node] += ID_WORDS;
    }
    return yield* sortedInSlices(groups, byTagsAndClass);
  }

  #nameOf(node: number): { tags: string[]; seriesClass: SeriesClass } {
    const tags: string[] = [];
    let at = node;
    for (let level = this.#keys.length - 1; level >= 0; level--) {
      const tag = this.#tag.values[at];
      tags[level] = tag === MISSING ? `${this.#keyTexts[level]}:N/A` : this.#index.tags.tagText(tag);
      at = this.#parent.values[at];
    }
    return { tags, seriesClass: at as SeriesClass };
  }
}

function byTagsAndClass(a: MatchedGroup, b: MatchedGroup): number {
  for (let i = 0; i < a.tags.length; i++) {
    if (a.tags[i] !== b.tags[i]) return a.tags[i] < b.tags[i] ? -1 : 1;
  }
  return a.seriesClass - b.seriesClass;
}
