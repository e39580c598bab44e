import { Bitmap } from '@tidemark/bitmap';
import type { SlicedWork } from '@tidemark/ports';
import { Journal } from './journal.ts';
import type { Metric } from './metric-table.ts';
import { dayKey, journalKey, metadataKey } from './store-layout.ts';
import { TagIndex } from './tag-index.ts';
import type { Uncommitted } from './uncommitted.ts';

/** Series without a day, as a share of all and as a number, from which on a renumbering is worth its work. */
const DEAD_SHARE = 1 / 4;
const DEAD_SERIES = 1024;
/** Bytes that replace what is stored, at most: they are one write, and both indexes are in memory until it is made. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Cost of a piece of work, in units of the cost of a point. */
const SERIES_COST = 128;
const KEY_COST = 8;
const BITMAP_COST = 8;
/** Series of a day that are renumbered in one piece. */
const RENUMBERED_AT_ONCE = 1024;

export interface Compacted {
  readonly index: TagIndex;
  readonly uncommitted: Uncommitted;
}

/**
 * Returns an index with the same facts that has only the series with a day, the metrics that have such series or are stated,
 * and their tags, all with new numbers; and the changes that replace what is stored. The state's hash stays as it is. Returns
 * undefined while few series have no day, and when more than `maxBytes` would be written: the partition then keeps what has
 * expired in memory and on disk. The old index may be read between the pieces; once it has changed, the work must
 * be given up.
 */
export function* compacted(
  old: TagIndex,
  uncommitted: Uncommitted,
  maxBytes = MAX_BYTES,
): SlicedWork<Compacted | undefined, number> {
  const alive = new Bitmap();
  for (const { days } of old.metrics.all) {
    for (const { bitmap } of days) alive.orInPlace(bitmap);
    yield BITMAP_COST * (days.length + 1);
  }
  if (!isDue(old.series.count, alive.size)) return undefined;
  const index = new TagIndex(old.idHash, old.retentionDays);
  const changes = uncommitted.restarted(new Journal());
  for (const key of storedKeys(old, uncommitted)) {
    changes.remove(key);
    if (changes.sizeBytes > maxBytes) return undefined;
    yield KEY_COST;
  }
  const renumbered = new Uint32Array(old.series.count);
  for (const dense of alive.toArray()) {
    const { tenant, name } = old.metrics.all[old.series.metric.values[dense]];
    const [from, to] = [old.series.tagStart.values[dense], old.series.tagStart.values[dense + 1]];
    const tags = Array.from(old.series.tags.values.subarray(from, to), (tag) => old.tags.tagText(tag));
    const series = { tenant, metric: name, seriesClass: old.series.seriesClass(dense), tags };
    renumbered[dense] = index.define(old.series.id(dense), series, changes);
    if (changes.sizeBytes > maxBytes) return undefined;
    yield SERIES_COST;
  }
  index.calendar.takeOver(old.calendar);
  for (const day of index.calendar.all) changes.changedDay(day);
  for (const metric of old.metrics.all) yield* copyMetric(metric, renumbered, index, changes);
  index.takeOver(old);
  return { index, uncommitted: changes };
}

function isDue(series: number, alive: number): boolean {
  const dead = series - alive;
  return dead >= DEAD_SERIES && dead >= series * DEAD_SHARE;
}

function* copyMetric(
  metric: Metric,
  renumbered: Uint32Array,
  index: TagIndex,
  to: Uncommitted,
): SlicedWork<void, number> {
  yield BITMAP_COST;
  if (metric.days.length === 0 && !metric.hasMetadata) return;
  const copy = index.metric(metric.tenant, metric.name, to);
  if (metric.hasMetadata) {
    copy.metadata = metric.metadata;
    to.metadata(copy);
  }
  for (const { day, bitmap } of metric.days) {
    const whole = index.calendar.day(day);
    const own = copy.daySeries(whole);
    const series = bitmap.toArray();
    for (let from = 0; from < series.length; from += RENUMBERED_AT_ONCE) {
      const piece = series.slice(from, from + RENUMBERED_AT_ONCE);
      for (const dense of piece) own.bitmap.add(renumbered[dense]);
      yield BITMAP_COST + piece.length;
    }
    to.day(copy, own);
  }
}

/** Keys of everything that has a number of the old index. Those that are written again are not deleted. */
function* storedKeys({ metrics }: TagIndex, uncommitted: Uncommitted): Generator<Uint8Array> {
  for (let segment = 0; segment < uncommitted.journal.segments; segment++) yield journalKey(segment);
  for (const { index, days, hasMetadata } of metrics.all) {
    if (hasMetadata) yield metadataKey(index);
    for (const { day } of days) yield dayKey(index, day);
  }
  yield* uncommitted.expiredKeys();
}
