import type { SegmentCounts } from './segment-format.ts';
import type { PagePlace } from './segment-group.ts';

/** Counts of what was written, or read. */
export type Counts = { -readonly [name in keyof SegmentCounts]: SegmentCounts[name] };

export function noCounts(): Counts {
  const range = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
  return { metrics: 0, groups: 0, series: 0, pages: 0, points: 0, ...range };
}

/** Counts a group of so many series. */
export function addGroup(counts: Counts, series: number, isFirstOfMetric: boolean): void {
  if (isFirstOfMetric) counts.metrics++;
  counts.groups++;
  counts.series += series;
}

export function addPage(counts: Counts, page: Pick<PagePlace, 'points' | 'minTimeMs' | 'maxTimeMs'>): void {
  counts.pages++;
  counts.points += page.points;
  counts.minTimeMs = Math.min(counts.minTimeMs, page.minTimeMs);
  counts.maxTimeMs = Math.max(counts.maxTimeMs, page.maxTimeMs);
}
