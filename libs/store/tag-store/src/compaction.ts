import { Bitmap } from '@tidemark/bitmap';
import { Journal } from './journal.ts';
import type { Metric } from './metric-table.ts';
import { dayKey, journalKey, metadataKey } from './store-layout.ts';
import { TagIndex } from './tag-index.ts';
import type { Uncommitted } from './uncommitted.ts';

/** Series without a day, as a share of all and as a number, from which on a renumbering is worth its work. */
const DEAD_SHARE = 1 / 4;
const DEAD_SERIES = 1024;

/** Returns whether so many series have no day any more that the index should be renumbered. */
export function isCompactionDue({ metrics, series }: TagIndex): boolean {
  const dead = series.count - alive(metrics.all).size;
  return dead >= DEAD_SERIES && dead >= series.count * DEAD_SHARE;
}

/**
 * Returns an index with the same facts that has only the series with a day, the metrics that have such series or are stated,
 * and their tags, all with new numbers; and the changes that replace what is stored. The state's hash stays as it is.
 */
export function compacted(
  old: TagIndex,
  uncommitted: Uncommitted,
): { readonly index: TagIndex; readonly uncommitted: Uncommitted } {
  const index = new TagIndex(old.idHash, old.retentionDays);
  const changes = uncommitted.restarted(new Journal(), storedKeys(old, uncommitted.journal));
  const renumbered = new Map<number, number>();
  for (const dense of alive(old.metrics.all).toArray()) {
    const { tenant, name } = old.metrics.all[old.series.metric.values[dense]];
    const [from, to] = [old.series.tagStart.values[dense], old.series.tagStart.values[dense + 1]];
    const tags = Array.from(old.series.tags.values.subarray(from, to), (tag) => old.tags.tagText(tag));
    const series = { tenant, metric: name, seriesClass: old.series.seriesClass(dense), tags };
    renumbered.set(dense, index.define(old.series.id(dense), series, changes));
  }
  for (const metric of old.metrics.all) copyMetric(metric, renumbered, index, changes);
  index.takeOver(old);
  return { index, uncommitted: changes };
}

function copyMetric(metric: Metric, renumbered: ReadonlyMap<number, number>, index: TagIndex, to: Uncommitted): void {
  if (metric.days.length === 0 && !metric.hasMetadata) return;
  const copy = index.metric(metric.tenant, metric.name, to);
  if (metric.hasMetadata) {
    copy.metadata = metric.metadata;
    to.metadata(copy);
  }
  for (const { day, bitmap } of metric.days) {
    const own = copy.daySeries(day);
    for (const dense of bitmap.toArray()) own.bitmap.add(renumbered.get(dense) ?? 0);
    index.noteDay(copy, day);
    to.day(copy, own);
  }
}

/** The series that have a day. */
function alive(metrics: readonly Metric[]): Bitmap {
  const series = new Bitmap();
  for (const { days } of metrics) for (const { bitmap } of days) series.orInPlace(bitmap);
  return series;
}

/** Keys of everything that has a number of the old index. Those that are written again are not deleted. */
function* storedKeys({ metrics }: TagIndex, { segments }: Journal): Generator<Uint8Array> {
  for (let segment = 0; segment < segments; segment++) yield journalKey(segment);
  for (const { index, days, hasMetadata } of metrics.all) {
    if (hasMetadata) yield metadataKey(index);
    for (const { day } of days) yield dayKey(index, day);
  }
}
